import assert from "node:assert/strict";
import { test } from "node:test";
import { openaiChat } from "../providers/openai/chat.ts";
import { LiveStream } from "./live-stream.ts";
import { model, offer } from "./sample-call.test-support.ts";

const target = {
  upstreamModel: "m",
  maxTokensField: "max_tokens",
  maxOutput: 100,
  accepts: undefined,
  extraParameters: new Set<string>(),
  capabilities: model.capabilities,
  quirks: offer.provider.quirks,
} as const;

const frame = (choice: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices: [choice], ...more })}\n\n`;

function streamToSlowClient(): LiveStream {
  const live = new LiveStream({
    line: {
      wire: openaiChat,
      target,
      connection: { baseUrl: "http://127.0.0.1:9", credential: undefined },
    },
    request: { path: "/", headers: {}, body: "", dropped: [] },
    view: { model: "m", id: "chatcmpl-2", created: 1, choices: 1 },
  });
  live.onHead(200, { "content-type": "text/event-stream" });
  void live.flow({ write: () => false, onDrain: () => undefined });
  return live;
}

test("a slow client holds the provider back, but not when the answer is over: its connection would wait for nothing", () => {
  const live = streamToSlowClient();
  assert.equal(live.onBytes(Buffer.from(frame({ index: 0, delta: { content: "Hello" } }))), false);
  const usage = { prompt_tokens: 8, completion_tokens: 1, total_tokens: 9 };
  const end = frame({ index: 0, delta: {}, finish_reason: "stop" }, { usage });
  const last = frame({ index: 0, delta: { content: " again" } }) + end;
  assert.equal(live.onBytes(Buffer.from(`${last}data: [DONE]\n\n`)), true);
});
