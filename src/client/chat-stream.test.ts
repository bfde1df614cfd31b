import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { ChatChunk } from "./chat-answers.ts";
import { createClient } from "./client.ts";
import { ClientError } from "./errors.ts";
import { startFakeApi } from "./fake-api.ts";
import type { FakeApi, FakeReply } from "./fake-api.ts";

let fake: FakeApi | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

const request = { model: "m", messages: [{ role: "user", content: "hi" }] } as const;

function frame(content: string): string {
  return `data: ${JSON.stringify({ id: "c", model: "m", choices: [{ index: 0, delta: { content } }] })}\n\n`;
}

const last = 'data: {"id":"c","model":"m","choices":[],"_remaining_credits":9.5,"_balance_warning":true}\n\n';
const end = "data: [DONE]\n\n";

async function streamOf(reply: FakeReply): Promise<AsyncGenerator<ChatChunk, void, undefined>> {
  fake = await startFakeApi({ "POST /v1/chat/completions": reply });
  return createClient({ baseUrl: fake.url, token: "sk-x" }).chat.stream(request);
}

type Read = { readonly text: string; readonly chunks: readonly ChatChunk[]; readonly error: unknown };

async function read(stream: AsyncIterable<ChatChunk>): Promise<Read> {
  const chunks: ChatChunk[] = [];
  let error: unknown;
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (thrown) {
    error = thrown;
  }
  return { text: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), chunks, error };
}

test("A stream cut between any two bytes gives the same chunks, characters of many bytes included.", async () => {
  const bytes = Buffer.from(`: wait\n\n${frame("Grüße 👋")}${frame(" 李")}${last}${end}`);
  let at = 0;
  fake = await startFakeApi({
    "POST /v1/chat/completions": () => ({ pieces: [bytes.subarray(0, at), bytes.subarray(at)] }),
  });
  const client = createClient({ baseUrl: fake.url, token: "sk-x" });
  for (at = 1; at < bytes.length; at++) {
    const { text, chunks, error } = await read(client.chat.stream(request));
    assert.equal(error, undefined);
    assert.equal(text, "Grüße 👋 李", `cut at ${at}`);
    assert.equal(chunks.at(-1)?._remaining_credits, 9.5);
  }
});

test("The request asks for a stream and is otherwise as given.", async () => {
  await read(await streamOf({ pieces: [frame("a"), end] }));
  assert.deepEqual(fake?.asked[0]?.body, { ...request, stream: true });
});

test("An error inside the stream is thrown after what came before it.", async () => {
  const error = { message: "Broke off.", code: "upstream_error", request_id: "req_9", param: null };
  const frames = frame("par") + frame("tial");
  const broken = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {} }], error })}\n\n`;
  const { text, error: thrown } = await read(await streamOf({ pieces: [frames, broken] }));
  assert.equal(text, "partial");
  assert.ok(thrown instanceof ClientError);
  assert.equal(thrown.code, "upstream_error");
  assert.equal(thrown.message, "Broke off.");
  assert.equal(thrown.requestId, "req_9");
  assert.equal(thrown.status, 200);
});

test("A stream without its end mark is a failure, however it stopped.", async () => {
  const cases: readonly FakeReply[] = [
    { pieces: [frame("half")], finish: "end" },
    { pieces: [frame("half")], finish: "cut" },
    { pieces: [frame("half"), "data: not json\n\n", end] },
    { pieces: [frame("half"), 'data: {"choices":1}\n\n', end] },
    { pieces: [frame("half"), "data: [DONE]"], finish: "end" },
  ];
  for (const reply of cases) {
    const stream = await streamOf({ ...reply, headers: { "x-request-id": "req_7" } });
    const { text, error } = await read(stream);
    assert.equal(text, "half");
    assert.ok(error instanceof ClientError);
    assert.equal(error.code, "answer_broken");
    assert.equal(error.requestId, "req_7");
    await fake?.close();
  }
});

test("A refusal before the stream is the refusal.", async () => {
  const body = { error: { message: "No.", code: "insufficient_balance" } };
  const { error } = await read(await streamOf({ status: 402, body }));
  assert.ok(error instanceof ClientError);
  assert.equal(error.status, 402);
});

test("Leaving the loop ends the call at the server.", { timeout: 10_000 }, async () => {
  const stream = await streamOf({ pieces: [frame("one"), frame("two")], finish: "hang" });
  for await (const chunk of stream) {
    assert.equal(chunk.choices[0]?.delta.content, "one");
    break;
  }
  await fake?.asked[0]?.closed;
});
