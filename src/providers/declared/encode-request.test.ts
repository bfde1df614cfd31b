import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointRequest, Expression } from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import type { RunAsk, RunContext } from "./run-wire.ts";
import { contextOf, endpoint, wireOf } from "./run-under-test.ts";

type Request = Partial<EndpointRequest>;

function begun(request: Request, inputs: JsonObject, more: Partial<RunContext> = {}): RunAsk {
  return wireOf(endpoint({ request: { path: "/x", ...request } })).begin(contextOf(inputs, more)).ask;
}

function pathOf(request: Request, inputs: JsonObject, more: Partial<RunContext> = {}): string {
  const { target } = begun(request, inputs, more);
  return "path" in target ? target.path : assert.fail("a url");
}

function bodyOf(encoding: EndpointRequest["encoding"], body: Expression, inputs: JsonObject): string {
  return begun({ encoding, body }, inputs).body?.toString("latin1") ?? "";
}

function problemOf(request: Request, inputs: JsonObject): string {
  try {
    begun(request, inputs);
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.param}`;
    throw error;
  }
  return "none";
}

test("a value of the inputs is one segment of the path; a plus lets it have slashes, and nothing lets it climb", () => {
  assert.equal(pathOf({ path: "/a/{inputs.id}/b" }, { id: "x/y z" }), "/a/x%2Fy%20z/b");
  assert.equal(pathOf({ path: "/a/{+inputs.id}" }, { id: "x/y z" }), "/a/x/y%20z");
  assert.equal(pathOf({ path: "/a/{env.id}" }, {}, { env: { id: "x/y" } }), "/a/x/y");
  assert.equal(pathOf({ path: "/a/{inputs.n}:run" }, { n: 7 }), "/a/7:run");
  assert.equal(pathOf({ path: "/a/{inputs.list[0].id}" }, { list: [{ id: "ü" }] }), "/a/%C3%BC");
  for (const id of ["..", "x/..", "./x", "/x", "x/", "x//y", "x\\..\\y", "", null, [], {}]) {
    assert.equal(problemOf({ path: "/a/{+inputs.id}" }, { id }), "400 inputs.id", JSON.stringify(id));
  }
  assert.equal(problemOf({ path: "/a/.{inputs.id}" }, { id: "." }), "400 inputs.id");
  assert.equal(pathOf({ path: "/a/{inputs.id}" }, { id: "%2e%2e" }), "/a/%252e%252e");
});

test("raw: an upload is sent as its bytes with its type, everything else as JSON", () => {
  const body = { $if: ["$.inputs.data", { $upload: { base64: "$.inputs.data" } }, { url: "$.inputs.url" }] };
  const asked = (inputs: JsonObject) => {
    const { headers, body: bytes } = begun({ encoding: "raw", body }, inputs);
    return [headers["content-type"], bytes?.toString("latin1")];
  };
  assert.deepEqual(asked({ data: "aGk=" }), ["application/octet-stream", "hi"]);
  assert.deepEqual(asked({ data: "data:Audio/MPEG;base64,aGk=" }), ["audio/mpeg", "hi"]);
  assert.deepEqual(asked({ url: "https://e.example/a" }), [
    "application/json",
    '{"url":"https://e.example/a"}',
  ]);
});

test("in a query lists repeat, objects go in brackets, and nothing breaks out of its value", () => {
  const query = {
    q: "$.inputs.q",
    n: "$.inputs.n",
    "a b": "$.inputs.list",
    o: "$.inputs.object",
    none: null,
  };
  const inputs = { q: "a&b=c#d ü+", n: 0, list: [true, "x"], object: { p: { q: [1, 2] } } };
  assert.equal(
    pathOf({ query }, inputs),
    "/x?q=a%26b%3Dc%23d%20%C3%BC%2B&n=0&a%20b=true&a%20b=x&o[p][q]=1&o[p][q]=2",
  );
  assert.equal(pathOf({ query }, {}), "/x");
  assert.equal(pathOf({ query: { q: "$.inputs.q" } }, { q: "\ud800" }), "/x?q=%EF%BF%BD");
});

test("a body that is missing is no body", () => {
  const ask = begun({ body: "$.inputs.none" }, {});
  assert.deepEqual([ask.body, ask.headers], [undefined, {}]);
  assert.equal(bodyOf("json", {}, {}), "{}");
});

test("a form has brackets and numbers for what is nested, and percent signs for everything else", () => {
  const body = { a: "$.inputs.a", "x[y]": 1, list: ["p", ["q"]], no: false, none: null, empty: [] };
  assert.equal(
    bodyOf("form", body, { a: { "b=c": "d&e", "\r\n": "" } }),
    "a[b%3Dc]=d%26e&a[%0D%0A]=&x%5By%5D=1&list[0]=p&list[1][0]=q&no=false",
  );
});

test("what cannot be written is refused, naming the inputs at fault", () => {
  let deep: unknown = 1;
  for (let level = 0; level < 50_000; level++) deep = [deep];
  assert.equal(problemOf({ encoding: "form", body: { a: "$.inputs.deep" } }, { deep }), "400 inputs.deep");
  assert.equal(problemOf({ encoding: "json", body: { a: "$.inputs.deep" } }, { deep }), "400 inputs.deep");
  assert.equal(
    problemOf({ encoding: "multipart", body: { a: "$.inputs.deep" } }, { deep: { deep } }),
    "400 inputs.deep",
  );
  assert.equal(problemOf({ query: { a: "$.inputs.deep" } }, { deep }), "400 inputs.deep");
  assert.equal(problemOf({ encoding: "form", body: "$.inputs.text" }, { text: "x" }), "400 inputs.text");
  assert.equal(
    problemOf({ encoding: "form", body: { $default: ["$.inputs.a", "$.inputs.b"] } }, { a: "x" }),
    "400 inputs",
  );
});

test("a part's name, file name and type cannot break out of their line", () => {
  const body = {
    'na"me\r\nx': "v\r\n--boundary",
    file: { $upload: { base64: "aGk=", filename: "$.inputs.name", mime: "$.inputs.mime" } },
  };
  const text = bodyOf("multipart", body, { name: 'a"b\r\nContent-Type: x', mime: "text/html\r\nx: y" });
  assert.match(text, /name="na%22me%0D%0Ax"\r\n\r\nv\r\n--boundary\r\n/);
  assert.match(
    text,
    /name="file"; filename="a%22b%0D%0AContent-Type: x"\r\nContent-Type: application\/octet-stream\r\n\r\nhi\r\n/,
  );
});

test("a data URL is a file part, other texts, objects and lists are fields", () => {
  const body = {
    image: "$.inputs.image",
    text: "$.inputs.text",
    meta: "$.inputs.meta",
    tags: "$.inputs.tags",
  };
  const inputs = {
    image: ["data:image/png;base64,aGk=", "data:text/plain;charset=utf-8;base64,eW91"],
    text: ["see data:image/png;base64,aGk=", "Data: 5, 6", "data:,x"],
    meta: { a: [1] },
    tags: ["x", { y: 1 }],
  };
  const text = bodyOf("multipart", body, inputs);
  assert.match(text, /name="image"; filename="image.png"\r\nContent-Type: image\/png\r\n\r\nhi\r\n/);
  assert.match(text, /name="image"; filename="image.txt"\r\nContent-Type: text\/plain\r\n\r\nyou\r\n/);
  for (const sentence of inputs.text)
    assert.ok(text.includes(`name="text"\r\n\r\n${sentence}\r\n`), sentence);
  assert.match(text, /name="meta"\r\n\r\n\{"a":\[1\]\}\r\n/);
  assert.match(text, /name="tags"\r\n\r\nx\r\n[^]*name="tags"\r\n\r\n\{"y":1\}\r\n/);
});

test("an upload without content is left out, and an object that looks like one stays an object", () => {
  const none = { $array: { $upload: { base64: "!" } } };
  const body = { file: { $upload: { base64: "$.inputs.none" } }, none, other: "$.inputs.other" };
  const text = bodyOf("multipart", body, { other: { $upload: { base64: "aGk=" } } });
  assert.doesNotMatch(text, /filename/);
  assert.match(text, /\{"\$upload":\{"base64":"aGk="\}\}/);
});

test("inputs that make an address longer than servers take are refused, naming the longest", () => {
  const query = { q: "$.inputs.query", lang: "$.inputs.language" };
  const request: Request = { method: "GET", path: "/{inputs.id}", query, encoding: "none", body: null };
  const fitting = { id: "a", query: "b".repeat(15_000), language: "en" };
  assert.equal(pathOf(request, fitting).length, 15_000 + "/a?q=&lang=en".length);
  assert.equal(problemOf(request, { ...fitting, query: "b".repeat(16_000) }), "400 inputs.query");
  assert.equal(problemOf(request, { ...fitting, query: "ü".repeat(3_000) }), "400 inputs.query");
  assert.equal(problemOf(request, { ...fitting, query: "b", id: "c".repeat(8_000_000) }), "400 inputs.id");
});

test("a webhook's address goes into the body or the query, over what the inputs say", () => {
  const declared = (where: "body" | "query") =>
    wireOf(
      endpoint({
        request: { path: "/x", body: "$.inputs" },
        polling: { poll: { path: "/y" }, webhook: { in: where, parameter: "hook" } },
      }),
    );
  const webhookUrl = "https://gate.example/h/1";
  const run = { id: "r", webhookUrl };
  const inBody = declared("body").begin(contextOf({ hook: "https://evil.example", a: 1 }, { run })).ask;
  assert.deepEqual(JSON.parse(inBody.body?.toString() ?? ""), { hook: webhookUrl, a: 1 });
  const inQuery = declared("query").begin(contextOf({ a: 1 }, { run })).ask;
  assert.deepEqual(inQuery.target, { path: `/x?hook=${encodeURIComponent(webhookUrl)}` });
  assert.equal(inQuery.body?.toString(), '{"a":1}');
});
