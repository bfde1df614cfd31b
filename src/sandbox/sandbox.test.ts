import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, before, test } from "node:test";
import { startSandbox } from "./sandbox.ts";
import type { RunningSandbox } from "./sandbox.ts";

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const chat = { model: "m", messages: [{ role: "user", content: "Tell me about wind" }] };

function post(path: string, body: unknown, headers: Record<string, string> = { authorization: "Bearer k" }) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(sandbox.url + path, { method: "POST", headers, body: text });
}

test("equal requests have equal answers to the byte, on any sandbox, unless it is given a clock", async () => {
  const other = await startSandbox({ now: () => 1_000_000_000_000 });
  try {
    const bytes = await (await post("/openai/v1/chat/completions", chat)).text();
    assert.equal(await (await post("/openai/v1/chat/completions", chat)).text(), bytes);
    const response = await fetch(`${other.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: "Bearer k" },
      body: JSON.stringify(chat),
    });
    assert.match(await response.text(), /"created":1000000000,/);
  } finally {
    await other.stop();
  }
});

test("every provider has an address of its own on the OpenAI wire", async () => {
  for (const provider of ["openai", "deepseek", "openrouter", "x-ai", "z.ai"]) {
    assert.equal((await post(`/${provider}/v1/chat/completions`, chat)).status, 200);
  }
});

test("any credential is good, as a bearer token or as x-api-key, except none and `invalid`", async () => {
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await post("/openai/v1/chat/completions", chat, headers)).status;
  assert.equal(await statusOf({ "x-api-key": "k" }), 200);
  assert.equal(await statusOf({}), 401);
  assert.equal(await statusOf({ authorization: "Bearer " }), 401);
  assert.equal(await statusOf({ authorization: "Bearer invalid" }), 401);
  assert.equal(await statusOf({ "x-api-key": "invalid" }), 401);
});

test("an unknown door is a 404, and a body that is no JSON a 400, in the provider's form", async () => {
  const openai = await post("/openai/v1/nothing", chat);
  assert.equal(openai.status, 404);
  assert.deepEqual(Object.keys(JSON.parse(await openai.text()).error), ["message", "type", "param", "code"]);
  assert.equal((await post("/", chat)).status, 404);
  const undecodable = await fetch(`${sandbox.url}/openai/v1/models/%E0`, { headers: { "x-api-key": "k" } });
  assert.equal(undecodable.status, 404);
  assert.equal((await post("/openai/v1/chat/completions", "{")).status, 400);
  const anthropic = await post("/anthropic/v1/nothing", chat);
  assert.equal(JSON.parse(await anthropic.text()).error.type, "not_found_error");
});

test("a body over 32 MB is refused without being read", async () => {
  const status = await new Promise((resolve, reject) => {
    const sending = request(
      `${sandbox.url}/anthropic/v1/messages`,
      { method: "POST", headers: { "x-api-key": "k", "content-length": String(33 * 1_024 * 1_024) } },
      (response) => {
        resolve(response.statusCode);
        sending.destroy();
      },
    );
    sending.on("error", reject);
    sending.write("{");
  });
  assert.equal(status, 413);
});

test("a picture as large as a body may be is accepted", async () => {
  const data = "A".repeat(30 * 1_024 * 1_024);
  const source = { type: "base64", media_type: "image/png", data };
  const messages = [{ role: "user", content: [{ type: "image", source }] }];
  const headers = { "x-api-key": "k", "anthropic-version": "2023-06-01" };
  const response = await post("/anthropic/v1/messages", { model: "m", max_tokens: 5, messages }, headers);
  assert.equal(response.status, 200);
});

test("one connection serves many requests, refusals and streams included", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  const ask = (body: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const sending = request(
        `${sandbox.url}/openai/v1/chat/completions`,
        { method: "POST", agent, headers: { authorization: "Bearer k" } },
        (response) => {
          ports.add(response.socket.localPort);
          response.resume().on("end", () => setImmediate(resolve));
        },
      );
      sending.on("error", reject);
      sending.end(JSON.stringify(body));
    });
  await ask(chat);
  await ask({ ...chat, messages: [] });
  await ask({ ...chat, stream: true });
  await ask({ ...chat, model: "m-fault-429" });
  await ask(chat);
  agent.destroy();
  assert.equal(ports.size, 1);
});

test("a long prompt is counted without keeping others waiting", async () => {
  const long = { ...chat, messages: [{ role: "user", content: "lorem ipsum dolor ".repeat(200_000) }] };
  const worst = {
    ...chat,
    messages: [{ role: "user", content: `${"a".repeat(300_000)}${" ".repeat(300_000)}` }],
  };
  await post("/openai/v1/chat/completions", chat);
  const pending = Promise.all([long, worst].map((body) => post("/openai/v1/chat/completions", body)));
  let longest = 0;
  let isDone = false;
  const watching = (async () => {
    for (let last = performance.now(); !isDone; last = performance.now()) {
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, performance.now() - last);
    }
  })();
  const answers = await pending;
  isDone = true;
  await watching;
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  const usage: unknown = JSON.parse((await answers[0]?.text()) ?? "{}").usage.prompt_tokens;
  assert.ok(typeof usage === "number" && usage > 600_000);
  assert.ok(longest < 500, `${longest} ms`);
});
