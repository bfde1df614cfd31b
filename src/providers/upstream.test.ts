import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { silentLog } from "../core/log.ts";
import { CollectedAnswer } from "../../tests/support/collected-answer.ts";
import { body, ok, raw, status } from "../../tests/support/fake-behaviours.ts";
import { eventually, startFakeUpstream } from "../../tests/support/fake-upstream.ts";
import type { FakeUpstream } from "../../tests/support/fake-upstream.ts";
import { createUpstream } from "./upstream.ts";
import type { Connection, Upstream } from "./upstream.ts";
import type { WireRequest } from "./wire.ts";

let fake: FakeUpstream;
let other: FakeUpstream;
let upstream: Upstream;

before(async () => {
  fake = await startFakeUpstream();
  other = await startFakeUpstream();
  upstream = createUpstream({ log: silentLog });
});
beforeEach(() => {
  fake.clear();
  other.clear();
});
after(async () => {
  await upstream.stop();
  await Promise.all([fake.stop(), other.stop()]);
});

function connection(): Connection {
  return { baseUrl: fake.baseUrl, credential: { header: "Authorization", value: "Bearer secret" } };
}

function request(model: string, more: Partial<WireRequest> = {}): WireRequest {
  return { path: "/chat/completions", headers: {}, body: JSON.stringify({ model }), dropped: [], ...more };
}

async function ask(model: string, more: Partial<WireRequest> = {}): Promise<CollectedAnswer> {
  const answer = new CollectedAnswer();
  upstream.send({ connection: connection(), request: request(model, more) }, answer);
  return answer.over;
}

test("posts the body with the credential below the base URL's path", async () => {
  const answer = await ask("m", { headers: { "x-extra": "1" }, body: '{"model":"m","é":1}' });
  assert.equal(answer.status, 200);
  assert.ok(answer.ended);
  const [call] = fake.calls("m");
  assert.equal(call?.path, "/v1/chat/completions");
  assert.equal(call.bytes.toString(), '{"model":"m","é":1}');
  assert.equal(call.headers["authorization"], "Bearer secret");
  assert.equal(call.headers["content-type"], "application/json");
  assert.equal(call.headers["accept-encoding"], "identity");
  assert.equal(call.headers["user-agent"], "skillboss");
  assert.equal(call.headers["x-extra"], "1");
});

test("hears nothing before send has returned", async () => {
  const answer = new CollectedAnswer();
  upstream.send(
    { connection: { ...connection(), baseUrl: "http://127.0.0.1:1" }, request: request("m") },
    answer,
  );
  const heardAtOnce = answer.failure !== undefined;
  assert.ok(!heardAtOnce);
  assert.equal((await answer.over).failure?.kind, "refused");
});

test("U-10 hands a redirect on as a status and never follows it", async () => {
  fake.script("m", status(302, { location: `${other.baseUrl}/chat/completions` }, {}));
  assert.equal((await ask("m")).status, 302);
  assert.equal(other.log.length, 0);
  assert.equal(fake.log.length, 1);
});

for (const path of [
  "chat",
  "//evil.example/chat",
  "/\\evil.example",
  "http://evil.example/chat",
  "@evil.example/",
  "/../admin",
  "/v1/..",
  "/a/%2e%2E/b",
  "/a%2f..%2fb",
  "/.?x",
  "/a b",
  "/a\r\nhost: evil.example",
  "/a#b",
  "/ä",
  "",
]) {
  test(`refuses the path ${JSON.stringify(path)} before a byte is sent`, () => {
    assert.throws(
      () =>
        upstream.send({ connection: connection(), request: request("m", { path }) }, new CollectedAnswer()),
      {
        name: "TypeError",
      },
    );
    assert.equal(fake.log.length, 0);
  });
}

test("takes paths with a query, dots in names and escapes", async () => {
  const path = "/models/gemini-2.5..x:stream%20me/chat/completions?alt=../sse";
  assert.equal((await ask("m", { path })).status, 200);
  assert.equal(fake.log[0]?.path, `/v1${path}`);
});

for (const baseUrl of [
  "ftp://127.0.0.1/v1",
  "http://user:password@127.0.0.1/v1",
  "http://127.0.0.1/v1?x=1",
  "http://127.0.0.1/#x",
  "not a url",
]) {
  test(`refuses the base URL ${baseUrl}`, () => {
    const call = { connection: { baseUrl, credential: undefined }, request: request("m") };
    assert.throws(() => upstream.send(call, new CollectedAnswer()), { name: "TypeError" });
  });
}

for (const headers of [
  { authorization: "Bearer other" },
  { Host: "evil.example" },
  { "Transfer-Encoding": "chunked" },
  { "content-length": "3" },
  { connection: "close" },
  { "x-a": "1\r\nx-b: 2" },
  { "x a": "1" },
  { "x-a": "Ā" },
]) {
  test(`refuses a request that sets ${JSON.stringify(headers)}`, async () => {
    assert.throws(
      () =>
        upstream.send(
          { connection: connection(), request: request("m", { headers }) },
          new CollectedAnswer(),
        ),
      {
        name: "TypeError",
      },
    );
    assert.equal((await ask("m")).status, 200);
  });
}

test("a refused credential is not shown in the error", () => {
  const broken = { ...connection(), credential: { header: "x-api-key", value: "sk-secret\n" } };
  try {
    upstream.send({ connection: broken, request: request("m") }, new CollectedAnswer());
    assert.fail("was taken");
  } catch (error) {
    assert.ok(error instanceof TypeError);
    assert.doesNotMatch(String(error.stack), /sk-secret/);
  }
});

test("two connections to one origin keep their own credentials", async () => {
  const answers = ["one", "two"].map((value) => {
    const answer = new CollectedAnswer();
    const credential = { header: "x-api-key", value };
    upstream.send({ connection: { ...connection(), credential }, request: request(value) }, answer);
    return answer.over;
  });
  await Promise.all(answers);
  assert.equal(fake.calls("one")[0]?.headers["x-api-key"], "one");
  assert.equal(fake.calls("two")[0]?.headers["x-api-key"], "two");
  assert.equal(fake.calls("two")[0]?.headers["authorization"], undefined);
});

test("uses a connection again", async () => {
  for (let round = 0; round < 20; round += 1) {
    await ask("m");
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(new Set(fake.log.map((call) => call.connectionId)).size <= 2);
});

test("U-10 ignores 103 in front of the answer", async () => {
  fake.script(
    "m",
    raw((socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(50));
      socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    }),
  );
  const answer = await ask("m");
  assert.deepEqual([answer.status, answer.text, answer.headers["link"]], [200, "ok", undefined]);
});

const extraAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nFOREIGN";
const extraTimings: readonly [string, number | undefined, number][] = [
  ["with the answer itself", undefined, 0],
  ["while the connection is idle", 0, 10],
  ["in the moment the next call starts", 5, 0],
];
// HTTP/1.1 has no means to tell an answer that comes after the next request was written from that request's own.
for (const [name, extraAfterMs, nextAfterMs] of extraTimings) {
  test(`an extra answer that comes ${name} is never taken for the next call's`, async () => {
    const sockets: Socket[] = [];
    fake.script(
      "a",
      raw((socket) => {
        const own = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown";
        socket.write(extraAfterMs === undefined ? own + extraAnswer : own);
        sockets.push(socket);
      }),
    );
    for (let round = 0; round < 30; round += 1) {
      const marker = `mark-${round}`;
      fake.script("b", body(marker));
      assert.equal((await ask("a")).text, "own");
      if (extraAfterMs !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, extraAfterMs));
        sockets.at(-1)?.write(extraAnswer);
      }
      if (nextAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, nextAfterMs));
      const answer = await ask("b");
      assert.deepEqual([answer.failure, answer.text], [undefined, marker]);
    }
  });
}

/** What a call came to whose connection was idle, and `closed` just before it was sent. */
async function askAfterClose(model: string, closed: "now" | "seen" | "never"): Promise<CollectedAnswer> {
  if (closed !== "never") fake.closeIdle();
  // The close has reached this side when the loop has gone round.
  if (closed === "seen") await new Promise((resolve) => setTimeout(resolve, 1));
  return ask(model);
}

test("U-11 a call that meets an idle close is made once or fails unmade, never twice", async () => {
  let met = 0;
  for (let round = 0; round < 100; round += 1) {
    await ask("m");
    const answer = await askAfterClose(`m-${round}`, "now");
    if (answer.failure !== undefined) {
      met += 1;
      assert.deepEqual([answer.failure.kind, answer.failure.stage], ["reset", "first_byte"]);
    }
    assert.equal(fake.calls(`m-${round}`).length, answer.ended ? 1 : 0);
  }
  assert.ok(met > 0);
});

for (const closed of ["seen", "never"] as const) {
  test(`U-11 no call fails whose connection was idle and ${closed} closed`, async () => {
    for (let round = 0; round < 100; round += 1) {
      await ask("m");
      const answer = await askAfterClose(`m-${round}`, closed);
      assert.deepEqual([answer.failure, answer.status], [undefined, 200]);
      assert.equal(fake.calls(`m-${round}`).length, 1);
    }
  });
}

test("U-11 a call on a connection of its own meets no idle close, and leaves no connection behind", async () => {
  const askAlone = (model: string): Promise<CollectedAnswer> => {
    const answer = new CollectedAnswer();
    upstream.send({ connection: connection(), request: request(model), ownConnection: true }, answer);
    return answer.over;
  };
  await ask("m");
  for (let round = 0; round < 100; round += 1) {
    const answer = await askAlone(`m-${round}`);
    assert.deepEqual([answer.failure, answer.status], [undefined, 200]);
    fake.closeIdle();
  }
  assert.equal(new Set(fake.log.map((call) => call.connectionId)).size, 101);
  await eventually(() => fake.connections() === 0);
});

test("more calls than connections and places to wait are refused at once, the others answered", async () => {
  const narrow = createUpstream({ log: silentLog, connections: 2, maxQueued: 3 });
  fake.script("m", ok({ afterMs: 50 }));
  const answers = Array.from({ length: 9 }, () => {
    const answer = new CollectedAnswer();
    narrow.send({ connection: connection(), request: request("m") }, answer);
    return answer;
  });
  await Promise.all(answers.map((answer) => answer.over));
  assert.deepEqual(
    answers.map((answer) => answer.failure?.kind ?? answer.status),
    [200, 200, 200, 200, 200, "refused", "refused", "refused", "refused"],
  );
  assert.ok(fake.maxOverlap <= 2);
  await narrow.stop();
});

test("a failing receiver ends its own exchange only, and is logged", async () => {
  const logged: string[] = [];
  const loud = createUpstream({ log: { ...silentLog, error: (_, message) => logged.push(message) } });
  const heard: string[] = [];
  const fails = (at: string) => (): never => {
    heard.push(at);
    throw new Error(at);
  };
  const calm = new CollectedAnswer();
  const receivers = [
    { ...quiet(heard), onHead: fails("head") },
    { ...quiet(heard), onBytes: fails("bytes") },
    { ...quiet(heard), onEnd: fails("end") },
  ];
  for (const receiver of receivers) loud.send({ connection: connection(), request: request("m") }, receiver);
  loud.send({ connection: connection(), request: request("m") }, calm);
  await calm.over;
  await eventually(() => logged.length === 3);
  assert.equal(calm.status, 200);
  assert.deepEqual(heard.sort(), ["bytes", "end", "failure aborted", "failure aborted", "head"]);
  await loud.stop();
});

function quiet(heard: string[]) {
  return {
    onHead: () => undefined,
    onBytes: () => true,
    onEnd: () => undefined,
    onFailure: (failure: { readonly kind: string }) => void heard.push(`failure ${failure.kind}`),
  };
}

test("stop ends what is open as aborted and closes every connection", async () => {
  const stopping = createUpstream({ log: silentLog, connections: 2 });
  other.script("m", ok({ tokens: 1_000, everyMs: 10 }));
  const call = {
    connection: { baseUrl: other.baseUrl, credential: undefined },
    request: request("m", { body: '{"model":"m","stream":true}' }),
  };
  const answers = Array.from({ length: 4 }, () => new CollectedAnswer());
  for (const answer of answers) stopping.send(call, answer);
  await eventually(() => answers.filter((answer) => answer.sizeBytes > 0).length === 2);
  await stopping.stop();
  await Promise.all(answers.map((answer) => answer.over));
  assert.deepEqual(new Set(answers.map((answer) => answer.failure?.kind)), new Set(["aborted"]));
  await eventually(() => other.connections() === 0);
  const late = new CollectedAnswer();
  stopping.send(call, late);
  assert.equal((await late.over).failure?.kind, "aborted");
});
