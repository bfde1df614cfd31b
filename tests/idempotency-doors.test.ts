/** What an Idempotency-Key does at doors that answer in every form that doors have, over the embedded database. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { after, beforeEach, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { openAnyDatabase } from "./support/any-database.ts";
import { uploadSize } from "./support/upload-size.ts";
import { keptAnswersOf } from "../src/calls/idempotency/sql-kept-answers.ts";
import { systemClock } from "../src/core/clock.ts";
import { newId } from "../src/core/ids.ts";
import { silentLog } from "../src/core/log.ts";
import { Problem } from "../src/core/problems.ts";
import type { ProblemCode } from "../src/core/problems.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import { doorkeeper } from "../src/identity/doorkeeper.ts";
import { keysOf } from "../src/identity/keys.ts";
import type { Database } from "../src/storage/database.ts";
import { withForm } from "../src/http/door.ts";
import type { Door, StreamDoor } from "../src/http/door.ts";
import { earlierRunOf } from "../src/http/idempotency.ts";
import { mostKeptBytes } from "../src/http/kept-form.ts";
import { frontServer } from "../src/http/server.ts";

const operatorToken = "op-of-this-test";
const anything = z.looseObject({});
const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const secret = `sk-test-${"Ab3_-".repeat(8)}xyz`;

/** How often each door did its work. */
let done: Record<string, number> = {};
let gate = Promise.withResolvers<void>();
let statements: string[] = [];
beforeEach(() => {
  done = {};
  gate = Promise.withResolvers<void>();
  statements = [];
});

type Attend = StreamDoor["attend"];

function post(path: string, attend: Attend, more: Partial<Door> = {}): Door {
  const counted: Attend = async (visit, request, response) => {
    const times = (done[path] = (done[path] ?? 0) + 1);
    response.setHeader("x-times", times);
    await attend(visit, request, response);
  };
  const facts = { method: "POST", path, access: "caller", summary: "", answers: "", body: anything } as const;
  return { ...facts, ...more, attend: counted };
}

function whole(status: number, headers: Record<string, string>, body: string | Buffer): Attend {
  return async (_visit, _request, response) => {
    response.writeHead(status, { ...headers, "x-skillboss-balance": "1.000000", "x-request-id": "req_old" });
    response.end(body);
  };
}

function refused(code: ProblemCode): Attend {
  return () => Promise.reject(new Problem(code));
}

const doors: readonly Door[] = [
  {
    ...{ method: "POST", path: "/json/{name}", access: "caller", summary: "", answers: "", body: anything },
    answer: ({ body, parameters }) => {
      const times = (done["/json"] = (done["/json"] ?? 0) + 1);
      const headers = { location: "/there", "x-skillboss-cost": "0.000007", "x-skillboss-run-id": "run_1" };
      return { status: 201, headers, body: { times, body, parameters } };
    },
  },
  post("/stream", async (_visit, _request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-skillboss-model": "p1/m" });
    for (const text of ["one", ": keep-alive", "two"]) {
      response.write(`data: ${text}\n\n`, "latin1");
      await nextTurn();
    }
    response.end("data: [DONE]\n\n", "latin1");
  }),
  post("/bytes", whole(200, { "content-type": "audio/mpeg", "content-length": "300000" }, bytes)),
  post("/nothing", whole(204, {}, "")),
  post("/job", whole(202, { location: "/v1/job/run_1", "retry-after": "5" }, "{}")),
  post("/large", whole(200, {}, Buffer.alloc(mostKeptBytes + 1, 0x78))),
  post("/secret", whole(201, {}, JSON.stringify({ key: secret }))),
  post("/refused", refused("insufficient_balance")),
  post("/failed", refused("upstream_error")),
  post("/fault", () => Promise.reject(new Error("a bug"))),
  post("/unknown", refused("outcome_unknown")),
  post("/slow", async (visit, request, response) => {
    await gate.promise;
    await whole(200, {}, "slow")(visit, request, response);
  }),
  post("/gone", async (visit, request, response) => {
    if (done["/gone"] === 1) {
      await once(response, "close");
      await gate.promise;
      if (visit.query.get("answers") === "no") return;
    }
    await whole(200, {}, `visit ${done["/gone"]}`)(visit, request, response);
  }),
  post("/run", async (visit, request, response) => {
    await whole(200, {}, earlierRunOf(visit) ?? "no earlier run")(visit, request, response);
  }),
  {
    ...{ method: "POST", path: "/form", access: "caller", summary: "", answers: "" },
    ...withForm(
      { limits: { maxBytes: 10_000, stalledClientMs: 5_000 }, fields: z.looseObject({}) },
      async ({ body }, response) => {
        done["/form"] = (done["/form"] ?? 0) + 1;
        response.end(body.files.get("file")?.[0]?.bytes);
      },
    ),
  },
  {
    ...{ method: "POST", path: "/upload", access: "caller", summary: "", answers: "" },
    async attend(visit, request) {
      done["/upload"] = (done["/upload"] ?? 0) + 1;
      return { status: 200, body: await uploadSize(visit, request) };
    },
    readOver: async (visit, request) => void (await uploadSize(visit, request)),
  },
  post("/operator", whole(200, {}, "done"), { access: "operator" }),
  post("/open", whole(200, {}, "done"), { access: "open" }),
  { ...post("/read", whole(200, {}, "read")), method: "GET" },
];

const { database: opened, clearAway } = await openAnyDatabase();
const database: Database = {
  ...opened,
  run: (statement, parameters) => {
    statements.push(statement.name);
    return opened.run(statement, parameters);
  },
};
const answers = keptAnswersOf({ database, nodeId: newId("node"), log: silentLog });
let balance = 0;
const server = frontServer({
  doors,
  doorkeeper: doorkeeper({ database, clock: systemClock, operatorToken }),
  log: silentLog,
  maxBodyBytes: 10_000,
  answers,
  headersFor: async () => ({ "x-skillboss-balance": `${(balance += 1)}.000000` }),
}).listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
assert.ok(address !== null && typeof address === "object");
const url = `http://127.0.0.1:${address.port}`;
after(async () => {
  server.close();
  server.closeAllConnections();
  await answers.stop();
  await clearAway();
});

const accounts = accountsOf(database, async () => undefined);
const keys = keysOf(database);
const account = await accounts.create({ name: "one", plan: "pro" });
const neighbour = await accounts.create({ name: "two", plan: "pro" });
const issue = async (accountId: string, mode: "live" | "test"): Promise<string> =>
  (await keys.issue({ accountId, mode })).secret;
const live = await issue(account.id, "live");
const alsoLive = await issue(account.id, "live");
const testing = await issue(account.id, "test");
const ofNeighbour = await issue(neighbour.id, "live");

type Asking = {
  readonly key?: string;
  readonly as?: string;
  readonly body?: string | Buffer | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

type Answered = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

async function ask(
  path: string,
  { key, as = live, body = "{}", headers, signal }: Asking,
): Promise<Answered> {
  const type = body instanceof FormData ? {} : { "content-type": "application/json" };
  const response = await fetch(url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${as}`,
      ...type,
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...headers,
    },
    body,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: Buffer.from(await response.arrayBuffer()),
  };
}

function codeOf({ status, body }: Answered): string {
  return `${status} ${JSON.parse(body.toString()).error.code}`;
}

let keysUsed = 0;
const freshKey = (): string => `key ${(keysUsed += 1)}`;

for (const [path, status, kept] of [
  ["/json/a", 201, { location: "/there", "x-skillboss-cost": "0.000007", "x-skillboss-run-id": "run_1" }],
  ["/stream", 200, { "content-type": "text/event-stream", "x-skillboss-model": "p1/m" }],
  ["/bytes", 200, { "content-type": "audio/mpeg", "content-length": "300000" }],
  ["/nothing", 204, {}],
  ["/job", 202, { location: "/v1/job/run_1", "retry-after": "5" }],
] as const) {
  test(`C-09 what ${path} answered is answered again, byte for byte, and done once`, async () => {
    const key = freshKey();
    const first = await ask(path, { key });
    assert.equal(first.headers.get("idempotent-replayed"), null);
    const requestIds = new Set([first.headers.get("x-request-id")]);
    // Another key of the same account and mode is the same customer.
    for (const as of [live, alsoLive]) {
      const again = await ask(path, { key, as });
      assert.deepEqual([again.status, again.body], [status, first.body]);
      assert.equal(again.headers.get("idempotent-replayed"), "true");
      for (const [name, value] of Object.entries(kept)) assert.equal(again.headers.get(name), value, name);
      assert.equal(
        again.headers.get("x-skillboss-balance"),
        `${balance}.000000`,
        "the balance is that of now",
      );
      assert.match(again.headers.get("x-request-id") ?? "", /^req_[0-9a-f]{32}$/);
      requestIds.add(again.headers.get("x-request-id"));
    }
    assert.equal(requestIds.size, 3);
    assert.equal(done[path] ?? done["/json"], 1);
  });
}

test("C-09 the same key with another body, content type or query is 422 and does nothing", async () => {
  const key = freshKey();
  await ask("/json/a", { key });
  for (const [path, change] of [
    ["/json/a", { body: '{"a":1}' }],
    ["/json/a", { headers: { "content-type": "application/problem+json" } }],
    ["/json/a?b=1", {}],
  ] as const)
    assert.equal(codeOf(await ask(path, { key, ...change })), "422 idempotency_key_reused");
  const sameType = await ask("/json/a", {
    key,
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  });
  assert.equal(sameType.status, 201);
  assert.equal(done["/json"], 1);
});

test("C-09 while the first request is answered the same key is 409 with Retry-After, another body 422", async () => {
  const key = freshKey();
  const first = ask("/slow", { key });
  await until(() => done["/slow"] === 1);
  const second = await ask("/slow", { key });
  assert.equal(codeOf(second), "409 conflict");
  assert.equal(second.headers.get("retry-after"), "1");
  assert.equal(codeOf(await ask("/slow", { key, body: '{"a":1}' })), "422 idempotency_key_reused");
  gate.resolve();
  assert.equal((await first).body.toString(), "slow");
  assert.equal((await ask("/slow", { key })).headers.get("idempotent-replayed"), "true");
  assert.equal(done["/slow"], 1);
});

test("C-09 a key is 1 to 255 printable ASCII characters, else 400 names the header and nothing is done", async () => {
  for (const key of ["", "x".repeat(256), "caf\u00e9", "a\tb"]) {
    const answer = await ask("/json/a", { key });
    assert.equal(codeOf(answer), "400 invalid_request");
    assert.equal(JSON.parse(answer.body.toString()).error.param, "Idempotency-Key");
  }
  assert.deepEqual(done, {});
  assert.equal((await ask("/json/a", { key: "~ !".repeat(85) })).status, 201);
});

test("a key belongs to one account, one mode and one address, and the operator's to nobody else", async () => {
  const key = freshKey();
  for (const [path, as] of [
    ["/json/a", live],
    ["/json/b", live],
    ["/json/a", testing],
    ["/json/a", ofNeighbour],
    ["/bytes", live],
    ["/operator", operatorToken],
  ] as const) {
    assert.equal((await ask(path, { key, as })).headers.get("idempotent-replayed"), null, path);
    assert.equal((await ask(path, { key, as })).headers.get("idempotent-replayed"), "true", path);
  }
  assert.deepEqual(done, { "/json": 4, "/bytes": 1, "/operator": 1 });
});

test("what was refused, or failed without a charge, is tried anew with the same key", async () => {
  for (const [path, refusal] of [
    ["/refused", "402 insufficient_balance"],
    ["/failed", "502 upstream_error"],
    ["/fault", "500 internal_error"],
  ] as const) {
    const key = freshKey();
    for (let tries = 1; tries <= 3; tries += 1) {
      const answer = await ask(path, { key });
      assert.equal(codeOf(answer), refusal);
      assert.equal(done[path], tries);
      assert.equal(answer.headers.get("idempotent-replayed"), null);
    }
  }
  const key = freshKey();
  assert.equal(codeOf(await ask("/json/a", { key, body: "{" })), "400 invalid_json");
  assert.equal((await ask("/json/a", { key })).status, 201);
});

test("a failure whose outcome nobody knows is told again and not tried again", async () => {
  const key = freshKey();
  const first = await ask("/unknown", { key });
  const again = await ask("/unknown", { key });
  assert.deepEqual([codeOf(first), codeOf(again)], ["502 outcome_unknown", "502 outcome_unknown"]);
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.equal(done["/unknown"], 1);
});

test("an answer that is too large or shows a secret is not kept, and not done again: 409 answer_not_kept", async () => {
  for (const path of ["/large", "/secret"]) {
    const key = freshKey();
    const first = await ask(path, { key });
    assert.ok(first.status < 300 && first.body.length > 0);
    const again = await ask(path, { key });
    assert.equal(codeOf(again), "409 answer_not_kept");
    const { error } = JSON.parse(again.body.toString());
    assert.match(error.first_request_id, /^req_[0-9a-f]{32}$/);
    assert.equal(done[path], 1);
  }
  const rows = await opened.kysely.selectFrom("idempotent_answers").select("body").execute();
  assert.ok(rows.length > 5);
  assert.ok(
    rows.every(({ body }) => body?.includes(secret) !== true),
    "no secret lies in the database",
  );
});

for (const [query, end, expected] of [
  ["yes", "is kept for when it asks again", "visit 1"],
  ["no", "and that was never given leaves the key free", "visit 2"],
] as const) {
  test(`C-10 an answer whose client has gone ${end}`, async () => {
    const path = `/gone?answers=${query}`;
    const key = freshKey();
    const leaving = new AbortController();
    const first = ask(path, { key, signal: leaving.signal }).catch(() => "gone");
    await until(() => done["/gone"] === 1);
    leaving.abort();
    assert.equal(await first, "gone");
    assert.equal(codeOf(await ask(path, { key })), "409 conflict");
    gate.resolve();
    let again = await ask(path, { key });
    for (const giveUpAt = performance.now() + 20_000; again.status === 409; again = await ask(path, { key }))
      assert.ok(performance.now() < giveUpAt);
    assert.equal(again.body.toString(), expected);
    assert.equal(again.headers.get("idempotent-replayed"), query === "yes" ? "true" : null);
  });
}

test("the door of a run that was begun and never answered is told its id, and the answer is kept", async () => {
  const key = freshKey();
  assert.equal((await ask("/run", { key: freshKey() })).body.toString(), "no earlier run");
  const callId = `call_${"a".repeat(32)}`;
  const runId = `run_${"a".repeat(32)}`;
  await ask("/run", { key });
  await opened.kysely
    .updateTable("idempotent_answers")
    .set({ status: null, body: null, call_id: callId })
    .where("key", "=", key)
    .execute();
  await opened.kysely
    .insertInto("runs")
    .values({
      ...{ id: runId, call_id: callId, account_id: account.id, key_id: "key_1", mode: "live", plan: "pro" },
      ...{ model: "m", model_id: "m", category: "image", offer: null, state: "over", ending: "done" },
      ...{ inputs: "{}", price: "{}", credit_usd: "0.05", public_url: url, lease_until: new Date() },
      ...{ memory: null, progress: null, output: null, problem: null, usage: null, cost: 0n },
      ...{ webhook_url: null, node_id: null, ended_at: new Date() },
    })
    .execute();
  for (let times = 0; times < 2; times += 1) {
    const again = await ask("/run", { key });
    assert.equal(again.body.toString(), runId);
    assert.equal(again.headers.get("idempotent-replayed"), "true");
  }
  assert.equal(done["/run"], 3, "the fresh key, the first request, and the run's answer");
});

const formOf = (text: string, name = "a.txt", more: Readonly<Record<string, string>> = {}): FormData => {
  const data = new FormData();
  for (const [field, value] of Object.entries(more)) data.set(field, value);
  data.set("file", new Blob([text]), name);
  return data;
};

for (const path of ["/form", "/upload"]) {
  test(`C-09 a form sent again to ${path}, within another boundary, is the same; a byte or a name changed is 422`, async () => {
    const key = freshKey();
    const first = await ask(path, { key, body: formOf("same length") });
    assert.equal(first.status, 200);
    const again = await ask(path, { key, body: formOf("same length") });
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.equal(again.headers.get("idempotent-replayed"), "true");
    for (const [query, change] of [
      ["", { body: formOf("SAME length") }],
      ["", { body: formOf("another length") }],
      ["", { body: formOf("same length", "b.txt") }],
      ["", { body: formOf("same length", "a.txt", { purpose: "batch" }) }],
      ["", { body: formOf("same length"), headers: { "x-file-name": "b.txt" } }],
      ["?name=b.txt", { body: formOf("same length") }],
    ] as const)
      assert.equal(codeOf(await ask(path + query, { key, ...change })), "422 idempotency_key_reused");
    assert.equal(codeOf(await ask(path, { key, body: "{}" })).slice(0, 3), path === "/form" ? "415" : "422");
    assert.equal(done[path], 1);
    assert.deepEqual((await ask(path, { key, body: formOf("same length") })).body, first.body);
  });
}

test("C-09 a large upload is read over when it is sent again, and done once", async () => {
  const body = Buffer.alloc(3_000_000, "a");
  const asking = { key: freshKey(), headers: { "content-type": "text/plain" } };
  for (const _ of ["read by the door", "read over"])
    assert.equal((await ask("/upload", { ...asking, body })).body.toString(), "3000000");
  const changed = Buffer.from(body).fill("b", 2_999_999);
  assert.equal(codeOf(await ask("/upload", { ...asking, body: changed })), "422 idempotency_key_reused");
  assert.equal(done["/upload"], 1);
});

test("the header means nothing on a GET and on an open door", async () => {
  const key = freshKey();
  for (let times = 1; times <= 2; times += 1) {
    assert.equal((await ask("/open", { key })).headers.get("x-times"), String(times));
    const headers = { authorization: `Bearer ${live}`, "idempotency-key": "x".repeat(300) };
    const read = await fetch(`${url}/read`, { headers });
    assert.equal(read.headers.get("x-times"), String(times));
    await read.text();
  }
});

test("a request without the header asks the database nothing for this, one with it twice", async () => {
  await ask("/json/a", {});
  const own = (): string[] => statements.filter((name) => name.startsWith("answers_"));
  assert.deepEqual(own(), []);
  await ask("/json/a", { key: freshKey() });
  assert.deepEqual(own(), ["answers_claim", "answers_end"]);
});

test("two answers on one connection keep their order, replayed or not", async () => {
  const key = freshKey();
  const first = await ask("/stream", { key });
  const shared = new Agent({ keepAlive: true, maxSockets: 1 });
  const texts: string[] = [];
  for (const path of ["/stream", "/json/z", "/stream"]) {
    const sent = httpRequest(url + path, {
      method: "POST",
      agent: shared,
      headers: {
        authorization: `Bearer ${live}`,
        "content-type": "application/json",
        "idempotency-key": key,
      },
    });
    sent.end("{}");
    const [response] = await once(sent, "response");
    let text = "";
    for await (const part of response) text += String(part);
    texts.push(text);
  }
  shared.destroy();
  assert.equal(texts[0], first.body.toString());
  assert.match(texts[1] ?? "", /"times":1/);
  assert.equal(texts[2], first.body.toString());
});

async function until(holds: () => boolean): Promise<void> {
  await untilAsync(async () => holds());
}

async function untilAsync(holds: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = performance.now() + 20_000; !(await holds());) {
    assert.ok(performance.now() < giveUpAt, holds.toString());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
