import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { assertRefused, bodyWith, chatDoor, usual } from "./support/chat-door.ts";
import type { ChatDoor } from "./support/chat-door.ts";
import { endsClean } from "./support/clean-end.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { staysQuick } from "./support/health-watch.ts";
import { planned } from "./support/plan-scale.ts";

/** Bodies and texts that mean harm: cases I-04, I-05, I-07, I-10 and O-05. */

let upstream: FakeUpstream;
let gateway: GatewayProcess;
let door: ChatDoor;

before(async () => {
  upstream = await startFakeUpstream();
  const capBytes = planned({ whole: 32, quick: 1 }) * 1024 * 1024;
  const environment = { SKILLBOSS_MAX_BODY_BYTES: String(capBytes) };
  gateway = await startGatewayProcess({ p1: upstream.baseUrl, environment });
});
beforeEach(async () => {
  door = await chatDoor(gateway, upstream);
});
after(() => endsClean(gateway, upstream));

test("I-04 members named like parts of JavaScript objects change nothing, at any level", async () => {
  const plain = Object.keys((await door.send(`{${usual}}`)).body);
  const evil =
    '"__proto__":{"max_tokens":-5,"n":7,"stream":true,"polluted":1},"constructor":{"prototype":{"polluted":1}}';
  const more = `${evil},"toString":1,"hasOwnProperty":2,"valueOf":null`;
  const bodies = [
    `{${usual},${more}}`,
    `{"model":"m-chat","messages":[{"role":"user","content":"hi",${more}}]}`,
    `{"model":"m-chat","messages":[{"role":"user","content":[{"type":"text","text":"hi",${more}}]}]}`,
    `{${usual},"tools":[{"type":"function","function":{"name":"f","parameters":{${more}},${more}},${more}}]}`,
    `{${usual},"metadata":{"__proto__":"a","constructor":"b","toString":"c"}}`,
    `{${usual},"logit_bias":{"__proto__":1}}`,
    `{${usual},"stream_options":{${more}}}`,
    `{${usual},"thinking":{${more}}}`,
  ];
  for (const text of bodies) {
    upstream.clear();
    const answer = await door.send(text, { ["__proto__"]: "x", constructor: "y" });
    assert.equal(answer.status, 200, `${text}: ${answer.text}`);
    assert.deepEqual(Object.keys(answer.body), plain);
    assert.equal(answer.body.choices.length, 1);
    assert.equal(upstream.log[0]?.json["max_tokens"], 4096);
  }
  for (const query of ["__proto__=x", "constructor[prototype][x]=1", "period=__proto__", "toString=1"]) {
    const { status } = await gateway.get(door.customer.key, `/v1/usage?${query}`);
    assert.equal(status, query === "period=__proto__" ? 400 : 200, query);
  }
  const account = `{"name":"x","__proto__":{"plan":"pro"},"constructor":{"prototype":{"plan":"pro"}}}`;
  const made = await gateway.admin("POST", "/accounts", JSON.parse(account));
  assert.equal(made.status, 400, "the operator's doors know their members");
  await assertFormFieldsChangeNothing();
  const requests = planned({ whole: 1_000, quick: 100 });
  for (let count = 0; count < requests; count += 1) {
    const { status, body } = await door.send(`{${usual}}`);
    assert.deepEqual([status, Object.keys(body)], [200, plain]);
  }
});

async function assertFormFieldsChangeNothing(): Promise<void> {
  const made = async (fields: readonly string[]): Promise<readonly string[]> => {
    const form = new FormData();
    form.set("purpose", "user_data");
    for (const name of fields) form.set(name, "x");
    form.set("file", new Blob(["x"]), "x.txt");
    const headers = { authorization: `Bearer ${door.customer.key}` };
    const response = await fetch(`${gateway.url}/v1/files`, { method: "POST", headers, body: form });
    assert.equal(response.status, 200);
    return Object.keys(JSON.parse(await response.text()));
  };
  const evil = ["__proto__", "__proto__[x]", "constructor", "constructor[prototype][x]", "toString"];
  assert.deepEqual(await made(evil), await made([]));
}

/** An object nested `depth` deep in all, with the innermost members at `around`. */
function nested(depth: number, kind: "array" | "object"): string {
  const open = kind === "array" ? "[" : '{"a":';
  const close = kind === "array" ? "]" : "}";
  return `${open.repeat(depth - 1)}${kind === "array" ? "[" : "{"}${kind === "array" ? "]" : "}"}${close.repeat(depth - 1)}`;
}

test("I-05 64 levels are taken and more are refused, without haste or crash", async () => {
  /** How many levels lie above the nested value. */
  const places = [
    [1, (value: string) => `{${usual},"anything":${value}}`],
    [3, (value: string) => `{"model":"m-chat","messages":[{"role":"user","content":"hi","x":${value}}]}`],
    [4, (value: string) => `{${usual},"tools":[{"type":"function","function":{"name":"f","x":${value}}}]}`],
    [2, (value: string) => `{${usual},"thinking":{"x":${value}}}`],
  ] as const;
  await staysQuick(gateway, async () => {
    for (const [above, place] of places) {
      for (const kind of ["array", "object"] as const) {
        const good = await door.send(place(nested(64 - above, kind)));
        assert.equal(good.status, 200, good.text);
        for (const depth of [65, 1_000, 10_000, planned({ whole: 1_000_000, quick: 100_000 })]) {
          const answer = await door.send(place(nested(depth - above, kind)));
          assertRefused(answer, `${depth} levels of ${kind}`);
          assert.match(answer.body.error.message, /64 levels/);
        }
      }
      assertRefused(await door.send(place("[".repeat(1_000_000))), "a million brackets");
    }
    // Of metadata no depth is taken: its values are texts.
    for (const depth of [64, 65, 1_000, 10_000, planned({ whole: 1_000_000, quick: 100_000 })]) {
      const answer = await door.send(`{${usual},"metadata":{"x":${nested(depth - 2, "object")}}}`);
      assertRefused(answer, `${depth} levels in metadata`);
      if (depth > 64) assert.match(answer.body.error.message, /64 levels/);
      else assert.match(answer.body.error.param, /^metadata/);
    }
  });
});

test("O-05 crowded and faulty documents do not hold up others", async () => {
  const many = (text: string, count: number) => `${`${text},`.repeat(count)}${text}`;
  const numbered = (text: string, count: number) =>
    Array.from({ length: count }, (_, index) => `"k${index}":${text}`).join();
  const inMessage = (member: string) =>
    `{"model":"m-chat","messages":[{"role":"assistant","content":"a",${member}}]}`;
  const hostile = [
    `{"model":"m-chat","messages":[${many("{}", 300_000)}]}`,
    `{"model":"m-chat","messages":[${many("{}", 49_000)}]}`,
    `{"model":"m-chat","messages":[${many('{"role":"x"}', 30_000)}]}`,
    `{"model":"m-chat","messages":[{"role":"user","content":[${many("1", 99_000)}]}]}`,
    `{"model":"m-chat","messages":[${many(`{"role":"user","content":[${many("1", 1_900)}]}`, 45)}]}`,
    inMessage(`"reasoning_details":[${many("1", 99_000)}]`),
    inMessage(`"tool_calls":[${many("{}", 49_000)}]`),
    `{${usual},"stop":[${many("1", 99_000)}]}`,
    `{${usual},"tools":[${many("{}", 49_000)}]}`,
    `{${usual},"logit_bias":{${numbered('"x"', 70_000)}}}`,
    `{${usual},"metadata":{${numbered("1", 70_000)}}}`,
    `{${usual},${numbered("1", 70_000)}}`,
    `{${usual},"user":"${"\\\\".repeat(planned({ whole: 5_000_000, quick: 500_000 }))}"}`,
  ];
  await staysQuick(gateway, async () => {
    for (const text of hostile) assertRefused(await door.send(text), text.slice(0, 80));
    // And a few at the same time.
    await Promise.all(
      hostile.slice(0, 4).map(async (text) => assertRefused(await door.send(text), "at once")),
    );
  });
  await door.assertNothingHappened();
});

test("I-07 bytes that are not UTF-8 are refused", async () => {
  const wrong = [
    "c328",
    "a0a1",
    "e228a1",
    "f0288cbc",
    "c0af",
    "e080af",
    "eda080",
    "f4908080",
    "ff",
    "fe",
    "e2",
  ];
  for (const hex of wrong) {
    const text = Buffer.concat([
      Buffer.from(`{${usual},"user":"`),
      Buffer.from(hex, "hex"),
      Buffer.from('"}'),
    ]);
    assertRefused(await door.send(text), hex);
  }
  await door.assertNothingHappened();
});

const strangeTexts = [
  "nul \u0000 nul",
  "\u202Eright to left\u2066",
  "😀👩‍👩‍👧‍👦",
  "e\u0301",
  "\uFEFF\uFFFE\uFFFF",
  "\u2028\u2029",
  "\u0001\u001F\u007F\u0080",
  "</script><!--",
];
const loneSurrogates = ['"\\ud800"', '"\\udc00\\ud800"', '"a\\ud83d"'];

test("I-07 strange characters reach the provider as they were sent, in every text", async () => {
  for (const text of [...strangeTexts.map((one) => JSON.stringify(one)), ...loneSurrogates]) {
    upstream.clear();
    const message = `{"role":"user","name":${text},"content":[{"type":"text","text":${text}}]}`;
    const schema = `{"type":"object","description":${text},"properties":{${text}:{"enum":[${text}]}}}`;
    const tool = `{"type":"function","function":{"name":"f","description":${text},"parameters":${schema}}}`;
    const body = `{"model":"m-chat","messages":[${message}],"tools":[${tool}],"stop":[${text}],"user":${text},"metadata":{${text}:${text}}}`;
    const answer = await door.send(body);
    assert.equal(answer.status, 200, `${text}: ${answer.text}`);
    const { model: _model, ...sent } = JSON.parse(body);
    const { model: _upstreamModel, max_tokens: _limit, ...received } = upstream.log[0]?.json ?? {};
    assert.deepEqual(received, sent, text);
  }
});

test("I-07 what the database keeps is shown as it was given, or refused", async () => {
  const keys = `/accounts/${door.customer.accountId}/keys`;
  for (const text of [...strangeTexts, "\uD800", "\uDC00x"]) {
    const isText = text.isWellFormed() && !text.includes("\0");
    const wishes = [
      ["POST", "/accounts", { name: text }],
      ["PATCH", `/accounts/${door.customer.accountId}`, { name: text }],
      ["POST", keys, { mode: "live", name: text }],
      ["POST", keys, { mode: "live", models: [text] }],
      ["POST", `/accounts/${door.customer.accountId}/credits`, { mode: "live", credits: "1", reason: text }],
    ] as const;
    for (const [method, path, body] of wishes) {
      const { status, body: answer } = await gateway.admin(method, path, body);
      const label = `${method} ${path} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`;
      // No model has such a name.
      const isKept = isText && !("models" in body);
      if (isKept) assert.ok(status === 200 || status === 201, label);
      else assert.equal(status, 400, label);
      if (isKept && "name" in body) assert.equal(answer.name, text, label);
      if (answer.object !== "list" && answer.prefix !== undefined)
        await gateway.admin("DELETE", `/keys/${answer.id}`);
    }
  }
});

test("I-07 a NUL or broken percent-encoding in an address is the client's mistake", async () => {
  for (const path of [
    "/v1/usage?model=%00",
    "/api/me/usage?model=a%00b",
    "/v1/models/%00",
    "/v1/models/%ff",
    "/v1/models/%E0%80",
  ]) {
    const { status } = await gateway.get(door.customer.key, path);
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
  }
  const id = "%00";
  const paths = [
    `/accounts/${id}`,
    `/accounts/${id}/keys`,
    `/accounts/${id}/transfers`,
    "/accounts/%ff",
    "/accounts/%c0%af",
  ];
  for (const path of paths) {
    const { status } = await gateway.admin("GET", path);
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
  }
  assert.equal((await gateway.admin("DELETE", `/keys/${id}`)).status, 400);
});

test("I-10 a name that is no model's is 404, is not repeated and cannot write into the log", async () => {
  const names = [
    "no-such-model",
    "../../etc/passwd",
    "m-chat\r\nX-Forged: y",
    '\n{"level":60,"msg":"forged"}\n',
    "x".repeat(10_240),
    '<img src=x onerror="alert(1)">',
    "m-chat ",
    " m-chat",
    "m-chat\u0000",
    "m-сhat",
    "__proto__",
    "constructor",
    "%s%n${7*7}",
    "ollama/../../x",
    "ollama/\u0000",
    "ollama/a\r\nb: c",
  ];
  for (const name of names) {
    const { status, body, text } = await door.send(bodyWith({ model: name }));
    assert.deepEqual([status, body.error.code, body.error.param], [404, "model_not_found", "model"], text);
    assert.ok(text.length < 600, text);
    // Suggestions may be ordinary names of the catalog; the name itself comes back in no form.
    for (const part of ["forged", "Forged", "<img", "passwd", "\u0000", "${7*7}"])
      assert.ok(!text.includes(part), text);
  }
  assert.equal(upstream.log.length, 0);
  assert.doesNotMatch(gateway.log(), /forged/i);
  for (const line of gateway.log().split("\n")) if (line !== "") JSON.parse(line);
});

test("members that no header can carry as they are, are named in x-skillboss-dropped all the same, and the call is answered", async () => {
  const odd = ['"x\\r\\nSet-Cookie: a":1', '"h\u00e9\u4e16":1', `"${"x".repeat(100_000)}":1`, '"":1'];
  const many = Array.from({ length: 500 }, (_, index) => `"k${index}":1`);
  for (const stream of [false, true]) {
    for (const members of [...odd, [...odd, ...many].join()]) {
      upstream.clear();
      const response = await gateway.chat(
        door.customer.key,
        {},
        { body: `{${usual},"stream":${stream},${members}}` },
      );
      assert.equal(response.status, 200);
      await response.text();
      const dropped = (response.headers.get("x-skillboss-dropped") ?? "").split(", ");
      assert.equal(dropped.length, Object.keys(JSON.parse(`{${members}}`)).length);
      assert.match(dropped.join(), /^[\w%",-]+$/);
    }
  }
});
