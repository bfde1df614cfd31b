/**
 * Load on one address over raw keep-alive connections: `node load.ts JSON`, with `{port, path, headers, body, connections,
 * seconds}`. Prints one JSON line: how many answers, how long they took. Ends by itself; counts only complete answers.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";

type Load = {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
};

const load = JSON.parse(process.argv[2] ?? "{}") as Load;
const lines = Object.entries({ host: "127.0.0.1", "content-type": "application/json", ...load.headers });
const request = Buffer.from(
  `POST /v1/chat/completions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}` +
    `content-length: ${Buffer.byteLength(load.body)}\r\n\r\n${load.body}`,
);
const until = performance.now() + load.seconds * 1000;
const latencies: number[] = [];
const firstBytes: number[] = [];
let failures = 0;

/** Keeps one request in flight on its connection until the time is up. */
function run(socket: Socket, finished: () => void): void {
  let startedAt = 0;
  let firstAt = 0;
  let text = "";
  let isOver = false;
  const next = (): void => {
    if (performance.now() >= until) {
      isOver = true;
      socket.destroy();
      return;
    }
    text = "";
    firstAt = 0;
    startedAt = performance.now();
    socket.write(request);
  };
  socket.on("connect", next);
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (!isOver) failures += 1;
    finished();
  });
  socket.on("data", (bytes) => {
    if (firstAt === 0) firstAt = performance.now();
    text += bytes.toString("latin1");
    if (!isComplete(text)) return;
    if (text.startsWith("HTTP/1.1 200")) {
      latencies.push(performance.now() - startedAt);
      firstBytes.push(firstAt - startedAt);
    } else failures += 1;
    next();
  });
}

function isComplete(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return false;
  const length = /content-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith("0\r\n\r\n") : text.length >= head + 4 + Number(length);
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

let open = load.connections;
for (let at = 0; at < load.connections; at += 1) {
  run(connect({ port: load.port, host: "127.0.0.1", noDelay: true }), () => {
    open -= 1;
    if (open > 0) return;
    latencies.sort((a, b) => a - b);
    firstBytes.sort((a, b) => a - b);
    console.log(
      JSON.stringify({
        answers: latencies.length,
        failures,
        p50Ms: quantile(latencies, 0.5),
        p99Ms: quantile(latencies, 0.99),
        firstByteMs: quantile(firstBytes, 0.5),
      }),
    );
    process.exit(0);
  });
}
