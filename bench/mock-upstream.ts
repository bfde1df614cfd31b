/**
 * The cheapest provider that a Node process can be: raw sockets, answers prepared as bytes. `stream: true` in the body
 * gets 100 chunks, one write each. Run as `node mock-upstream.ts PORT`.
 */
import { createServer } from "node:net";

const content = "All work and no play makes a dull benchmark. ".repeat(12);
const usage = { prompt_tokens: 250, completion_tokens: 100, total_tokens: 350 };
const head = { id: "chatcmpl-bench", created: 1_700_000_000, model: "gpt-4o-mini-2024-07-18" };

const whole = JSON.stringify({
  ...head,
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content }, logprobs: null, finish_reason: "stop" }],
  usage,
});
const wholeAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(whole)}\r\n\r\n${whole}`,
);

const streamHead = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
);
const chunk = (members: Readonly<Record<string, unknown>>) =>
  framed(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...members })}\n\n`);
const delta = (value: unknown, finish: string | null) => ({
  choices: [{ index: 0, delta: value, logprobs: null, finish_reason: finish }],
});
const streamParts = [
  chunk(delta({ role: "assistant", content: "" }, null)),
  ...Array.from({ length: 100 }, (_, at) => chunk(delta({ content: `token${at} ` }, null))),
  Buffer.concat([
    chunk(delta({}, "stop")),
    chunk({ choices: [], usage }),
    framed("data: [DONE]\n\n"),
    Buffer.from("0\r\n\r\n"),
  ]),
];

function framed(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

const port = Number(process.argv[2]);
createServer({ noDelay: true }, (socket) => {
  let waiting = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    waiting += bytes.toString("latin1");
    for (;;) {
      const end = waiting.indexOf("\r\n\r\n");
      if (end === -1) return;
      const length = Number(/content-length: *(\d+)/i.exec(waiting)?.[1] ?? 0);
      if (waiting.length < end + 4 + length) return;
      const body = waiting.slice(end + 4, end + 4 + length);
      waiting = waiting.slice(end + 4 + length);
      if (!body.includes('"stream":true')) socket.write(wholeAnswer);
      else {
        socket.write(streamHead);
        for (const part of streamParts) socket.write(part);
      }
    }
  });
}).listen(port, "127.0.0.1", () => console.log("ready"));
