import assert from "node:assert/strict";
import { test } from "node:test";
import { contextOf, endpoint, RunUnderTest } from "./run-under-test.ts";

/** The state machine, apart from any provider. */

const job = endpoint({
  request: { path: "/jobs", body: "$.inputs" },
  errors: {
    when: "$.res.error",
    message: "$.res.error.message",
    code: "$.res.error.code",
    codes: { overloaded: "busy", bad_prompt: "rejected" },
  },
  polling: {
    skipWhen: { $eq: ["$.res.status", "done"] },
    poll: { path: "/jobs/{submit.id}" },
    cancel: { method: "DELETE", path: "/jobs/{submit.id}" },
    failed: ["failed"],
    message: "$.res.reason",
    progress: { $div: ["$.res.percent", 100] },
  },
  fetches: [{ path: "/jobs/{submit.id}/result", as: "result" }],
  output: { text: "$.result.text", cost: "$.headers.x-cost", status: "$.status" },
  meters: [{ meter: "pages", reserve: 9, quantity: "$.result.pages" }],
});

function begun(inputs: object = {}): RunUnderTest {
  return new RunUnderTest(job, contextOf({ ...inputs }));
}

function polling(): RunUnderTest {
  const run = begun();
  run.wait({ id: "j1", status: "queued" });
  return run;
}

function fetching(): RunUnderTest {
  const run = polling();
  run.wait({ status: "done" }, 200, { "x-cost": "3" });
  return run;
}

test("K-07 nothing but a failed status is a verdict on work that was taken", () => {
  const run = polling();
  const noVerdicts: readonly (readonly [unknown, number])[] = [
    [{ error: { message: "not found" } }, 404],
    ["<html>bad gateway</html>", 502],
    [{ status: "failed" }, 500],
    [{ status: "done" }, 503],
    [{}, 401],
    [{}, 400],
    [{}, 302],
    ["", 204],
    ["some text", 200],
    [[1, 2], 200],
    [{ status: null }, 200],
    [{ status: { failed: true } }, 200],
    [{ status: "something new" }, 200],
    [{ error: { code: "overloaded" } }, 200],
    [Buffer.from([0xff, 0x00]), 200],
  ];
  for (const [body, status] of noVerdicts) {
    const step = run.hear(body, status);
    assert.equal(step.state, "ask", JSON.stringify([body, status]));
    assert.equal(run.where, "GET /jobs/j1");
  }
  assert.equal(run.memory.polls, noVerdicts.length);
  const broken = { "content-type": "application/json" };
  assert.equal(run.hear("{broken", 200, broken).state, "ask");
  const fault = run.fault({ status: "failed", reason: "the work could not be done" });
  assert.deepEqual(
    [fault.kind, fault.status, fault.detail],
    ["failed", 200, "200 the work could not be done"],
  );
});

test("a failed status is final whatever its code means elsewhere, and no status is never one of the list", () => {
  const fault = polling().fault({ status: "failed", error: { code: "overloaded" } });
  assert.deepEqual([fault.kind, fault.code], ["failed", "overloaded"]);
  assert.equal(polling().fault({ status: "failed", error: { code: "bad_prompt" } }).kind, "rejected");
  const oddly = endpoint({ request: { path: "/x" }, polling: { poll: { path: "/y" }, done: ["", "done"] } });
  const run = new RunUnderTest(oddly, contextOf({}));
  run.wait({});
  run.wait({}, 503);
  run.wait({ other: 1 });
  assert.equal(run.hear({ status: "" }).state, "done");
});

test("the waits grow up to their bound, and longer ones that the provider asks for are kept", () => {
  const run = begun();
  assert.equal(run.wait({ id: "j1" }), 1_000);
  const waits = Array.from({ length: 6 }, () => run.wait({ status: "running" }));
  assert.deepEqual(waits, [2_000, 4_000, 5_000, 5_000, 5_000, 5_000]);
  assert.equal(run.wait({}, 429, { "retry-after": "30" }), 30_000);
  assert.equal(run.wait({ status: "running" }, 200, { "retry-after": "7" }), 7_000);
  assert.equal(run.wait({}, 429, { "retry-after-ms": "1" }), 5_000, "never shorter than our own");
  const date = "Sun, 01 Nov 2026 10:00:00 GMT";
  assert.equal(run.wait({}, 503, { "retry-after": "Sun, 01 Nov 2026 10:01:00 GMT", date }), 60_000);
  for (let polls = 0; polls < 2_000; polls++) run.wait({ status: "running" });
  assert.equal(run.wait({ status: "running" }), 5_000);
});

test("the faults of a submission are verdicts, told apart by status and by the provider's own code", () => {
  const cases = [400, 404, 422, 401, 402, 403, 408, 409, 425, 429, 500, 503, 529, 302, 405].map(
    (status) => `${status} ${begun().fault({ error: { message: "no" } }, status).kind}`,
  );
  assert.deepEqual(cases, [
    ...["400 rejected", "404 rejected", "422 rejected"],
    ...["401 credential", "402 credential", "403 credential"],
    ...["408 busy", "409 busy", "425 busy", "429 busy"],
    ...["500 unavailable", "503 unavailable", "529 unavailable", "302 unavailable", "405 unavailable"],
  ]);
  assert.equal(begun().fault({ error: { code: "overloaded" } }, 400).kind, "busy");
  assert.equal(begun().fault({ error: { code: "bad_prompt" } }).kind, "rejected");
  assert.equal(begun().fault({ error: { code: "constructor" } }).kind, "failed");
  assert.equal(begun().fault("{", 200, { "content-type": "application/json" }).kind, "unreadable");
  assert.equal(begun().fault({ status: "queued" }).kind, "unreadable", "no id, so nobody can ask for it");
  assert.equal(begun().fault({ id: "../secrets" }).kind, "unreadable");
});

test("a fault's words are one short line without secrets", () => {
  const message = `bad key sk-abcdefgh12345678\r\n${"x".repeat(5_000)}`;
  const fault = begun().fault({ error: { message, code: "c".repeat(5_000) } }, 401);
  assert.ok(fault.detail.length <= 200 && (fault.code ?? "").length <= 200);
  assert.doesNotMatch(fault.detail, /sk-abc|\n/);
});

test("progress is between nothing and all", () => {
  const run = polling();
  const told = [0, 42, 100, 250, -3, "50", null].map((percent) => {
    const step = run.hear({ status: "running", percent });
    return step.state === "ask" ? step.progress : "no step";
  });
  assert.deepEqual(told, [0, 0.42, 1, 1, 0, undefined, undefined]);
});

test("work that ended within the first answer is not polled; what ended it is read all the same", () => {
  const run = begun();
  run.wait({ id: "j1", status: "done" }, 201, { "x-cost": "3", "x-other": "4" });
  assert.equal(run.where, "GET /jobs/j1/result");
  assert.deepEqual(run.memory, {
    phase: "fetch",
    submit: { id: "j1" },
    headers: { "x-cost": "3" },
    status: 201,
    fetch: 0,
  });
  const end = run.end({ text: "t", pages: 2, secret: "s" }, 200, { "x-cost": "99" });
  assert.deepEqual(end.output, { text: "t", cost: "3", status: 201 });
  assert.deepEqual([end.usage, end.estimated], [{ pages: 2 }, false]);
});

test("a result that cannot be had just now is fetched again, longer and longer", () => {
  const run = fetching();
  const waits = [404, 500, 429, 401, 403, 408, 302].map((status) => run.wait({}, status));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.equal(run.wait("{", 200, { "content-type": "application/json" }), 30_000);
  assert.equal(run.wait({ error: { code: "overloaded" } }, 200, { "retry-after": "40" }), 40_000);
  assert.equal(run.where, "GET /jobs/j1/result");
  assert.deepEqual(run.end({ text: "late" }).output, { text: "late", cost: "3", status: 200 });
});

test("a result that is refused for what it is, or never comes, is a verdict", () => {
  for (const status of [400, 422]) assert.equal(fetching().fault({}, status).kind, "rejected");
  assert.equal(fetching().fault({ error: { code: "bad_prompt" } }).kind, "rejected");
  assert.equal(fetching().fault({ error: { message: "gone" } }).kind, "failed");
  const run = fetching();
  for (let tries = 0; tries < 20; tries++) run.wait({}, 404);
  assert.equal(run.fault({}, 404).kind, "rejected");
  // Whoever follows the run waits for what is busy or unavailable, for a day: for those that ask for it, and for no other.
  for (const [status, kind] of [
    [429, "busy"],
    [503, "unavailable"],
    [500, "failed"],
    [502, "failed"],
  ] as const) {
    const broken = fetching();
    for (let tries = 0; tries < 20; tries++) broken.wait({}, status);
    assert.equal(broken.fault({}, status).kind, kind);
  }
});

test("an answer without anything that was promised costs nothing: it is unreadable", () => {
  const declared = (output: Parameters<typeof endpoint>[0]["output"]) =>
    new RunUnderTest(endpoint({ request: { path: "/x" }, output: output ?? {} }), contextOf({}));
  for (const body of [{}, { other: 1 }, [], "text", { list: null }]) {
    assert.equal(declared({ list: "$.res.list", n: "$.res.n" }).fault(body).kind, "unreadable");
  }
  assert.deepEqual(declared({ list: "$.res.list" }).end({ list: [] }).output, { list: [] });
  assert.equal(declared({ list: "$.res.list" }).fault({ list: [{}] }).kind, "unreadable");
  assert.equal(declared("$.res").fault([1]).kind, "unreadable");
  assert.deepEqual(declared("$.res").end({ a: null, b: 1 }).output, { a: null, b: 1 });
  assert.deepEqual(declared({ ok: true }).end("", 204).output, { ok: true });
});

test("a quantity that was to be told and was not is the reserved one, marked as estimated", () => {
  const meter = (quantity: Parameters<typeof endpoint>[0]["output"]) =>
    endpoint({
      request: { path: "/x" },
      output: { a: 1 },
      meters: [{ meter: "pages", reserve: "$.inputs.most", ...(quantity === undefined ? {} : { quantity }) }],
    });
  const usage = (body: unknown): unknown => {
    const end = new RunUnderTest(meter("$.res.n"), contextOf({ most: 5 })).end(body);
    return [end.usage, end.estimated];
  };
  assert.deepEqual(usage({ n: 2.5 }), [{ pages: 2.5 }, false]);
  assert.deepEqual(usage({ n: 0 }), [{ pages: 0 }, false]);
  for (const n of ["2", -1, null, 1e300, [2], true]) assert.deepEqual(usage({ n }), [{ pages: 5 }, true]);
  const fixed = new RunUnderTest(meter(undefined), contextOf({ most: 5 })).end({});
  assert.deepEqual([fixed.usage, fixed.estimated], [{ pages: 5 }, false]);
});

test("a fraction of a token is no count: told, it is as if nothing was told; reserved, it is rounded up", () => {
  const declared = endpoint({
    request: { path: "/x" },
    output: { a: 1 },
    meters: [{ meter: "output_tokens", reserve: { $mul: ["$.inputs.most", 1.35] }, quantity: "$.res.n" }],
  });
  const run = new RunUnderTest(declared, contextOf({ most: 10 }));
  const usage = (n: number): unknown => {
    const end = run.end({ n });
    return [end.usage, end.estimated];
  };
  assert.deepEqual(usage(12), [{ output_tokens: 12 }, false]);
  for (const n of [12.5, 0.000001, 12.000000000000002])
    assert.deepEqual(usage(n), [{ output_tokens: 14 }, true]);
});

const listed = endpoint({
  request: { path: "/search", body: { q: "$.inputs.q" } },
  fetches: [
    { when: "$.submit.skip_first", path: "/never", as: "never" },
    {
      method: "POST",
      path: "/list/{submit.id}",
      query: { cursor: "$.next", size: 2 },
      as: "items",
      pages: { next: "$.res.next", items: "$.res.items", maxPages: 3 },
    },
    { when: "$.items[0].more", path: "/more/{items[0].id}", as: "more" },
  ],
  output: { names: "$.items[*].name", more: "$.more.text", first: "$.res.kept" },
});

test("pages by cursor, each once, as many as allowed; a fetch that is not wanted is passed over", () => {
  const run = new RunUnderTest(listed, contextOf({ q: "x" }));
  run.wait({ id: "s1", kept: "yes", dropped: "x".repeat(1_000) });
  assert.equal(run.where, "POST /list/s1?size=2");
  const item = (id: string): object => ({ id, name: `n${id}`, more: id === "a", blob: "x".repeat(1_000) });
  run.wait({ items: [item("a"), item("b")], next: "c 1" });
  assert.equal(run.where, "POST /list/s1?cursor=c%201&size=2");
  run.wait({ items: [item("c")], next: 2 });
  assert.equal(run.where, "POST /list/s1?cursor=2&size=2");
  run.wait({ items: [item("d")], next: "there would be more" });
  assert.equal(run.where, "GET /more/a");
  assert.deepEqual(Object.keys(run.memory).sort(), ["fetch", "fetched", "phase", "submit"]);
  assert.deepEqual(run.end({ text: "t" }).output, {
    names: ["na", "nb", "nc", "nd"],
    more: "t",
    first: "yes",
  });
});

test("pages end with an empty or repeated next, and a page without items is an empty one", () => {
  for (const next of ["", null, undefined, "x".repeat(5_000), {}]) {
    const run = new RunUnderTest(listed, contextOf({ q: "x" }));
    run.wait({ id: "s1" });
    assert.deepEqual(run.end({ items: [{ name: "a" }], next }).output["names"], ["a"]);
  }
  const run = new RunUnderTest(listed, contextOf({ q: "x" }));
  run.wait({ id: "s1" });
  run.wait({ next: "same" });
  assert.deepEqual(run.end({ items: [{ name: "b" }], next: "same" }).output["names"], ["b"]);
});

test("an address that an answer names is a web address or a plain path, or the run is unreadable", () => {
  const named = endpoint({
    request: { path: "/x" },
    fetches: [{ url: "$.res.url", query: { a: 1 }, as: "file" }],
    output: { a: "$.file" },
  });
  const where = (url: unknown): string => {
    const run = new RunUnderTest(named, contextOf({}));
    const step = run.hear({ url });
    return step.state === "ask" ? run.where : step.state;
  };
  assert.equal(where("https://e.example/a?b=%2F#c"), "GET https://e.example/a?b=%2F&a=1");
  assert.equal(where("/files/1?x=2"), "GET /files/1?x=2&a=1");
  for (const url of [
    ...["file:///etc/passwd", "ftp://e.example", "//e.example/a", "/a/../b", "https://u:p@e.example/", "a"],
    ...["javascript:x", "https://", null, 5, ["https://e.example"], {}],
  ]) {
    assert.equal(where(url), "failed", JSON.stringify(url));
  }
});

test("a file mark comes from the endpoint alone: what looks like one in an answer or an input is left out", () => {
  const declared = endpoint({
    request: { path: "/x" },
    output: {
      file: { $file: { url: "$.res.url", base64: "$.res.base64", name: "$.res.name" } },
      echo: "$.inputs",
      all: "$.res",
    },
  });
  const evil = { $file: { url: "http://169.254.169.254/latest" } };
  const run = new RunUnderTest(declared, contextOf({ a: [evil, 1] }));
  const end = run.end({ url: "https://e.example/a.png", name: "a.png", b: { c: evil } });
  assert.deepEqual(end.output, {
    file: { $file: { url: "https://e.example/a.png", name: "a.png" } },
    echo: { a: [{}, 1] },
    all: { url: "https://e.example/a.png", name: "a.png", b: { c: {} } },
  });
  for (const url of ["file:///etc/passwd", "data:nonsense", 5, null]) {
    assert.equal("file" in run.end({ url, a: 1 }).output, false);
  }
  const inline = run.end({ url: "data:image/png;base64,aGk=" }).output["file"];
  assert.deepEqual(inline, { $file: { base64: "aGk=", mime: "image/png" } });
  assert.deepEqual(run.end({ base64: "aGk=" }).output["file"], { $file: { base64: "aGk=" } });
});

test("binary that nobody reads is not kept while the work goes on", () => {
  const declared = endpoint({
    request: { path: "/x" },
    polling: { poll: { path: "/y/{run.id}" } },
    output: { size: "$.submit.size", end: "$.poll.text" },
  });
  const run = new RunUnderTest(declared, contextOf({}));
  run.wait(Buffer.alloc(100_000, 0xff));
  assert.deepEqual(run.memory, { phase: "poll", submit: { size: 100_000 }, polls: 0 });
  assert.equal(run.where, "GET /y/run_1");
  assert.deepEqual(run.end({ status: "done", text: "t" }).output, { size: 100_000, end: "t" });
});

test("a memory that this endpoint did not write asks for nothing and breaks nothing", () => {
  const { wire, context } = polling();
  assert.equal(wire.again(context, { phase: "submit" }), undefined);
  assert.equal(wire.again(context, { phase: "poll" }), undefined);
  assert.equal(wire.again(context, { phase: "fetch", fetch: 7 }), undefined);
  assert.equal(wire.cancel(context, { phase: "poll", submit: { id: {} } }), undefined);
  assert.equal(wire.cancel(context, { phase: "fetch" }), undefined);
  const answer = { status: 200, headers: {}, bytes: Buffer.from("{}") };
  assert.equal(wire.read(context, { phase: "fetch", fetch: 7 }, answer).state, "failed");
});
