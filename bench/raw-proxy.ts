/**
 * The yardstick: the least that a proxy in Node does. node:http in front, undici `dispatch` behind, one SHA-256, the body
 * parsed and written again; no limits, no money, no translation. Run as `node raw-proxy.ts PORT UPSTREAM_PORT`.
 */
import { hash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Pool } from "undici";

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 256, pipelining: 1 });

createServer({ noDelay: true }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (bytes: Buffer) => parts.push(bytes));
  request.on("end", () => forward(request, response, Buffer.concat(parts)));
}).listen(port, "127.0.0.1", () => console.log("ready"));

function forward(request: IncomingMessage, response: ServerResponse, received: Buffer): void {
  hash("sha256", request.headers.authorization ?? "");
  const body = JSON.stringify(JSON.parse(received.toString("utf8")));
  const headers = { "content-type": "application/json", authorization: "Bearer upstream" };
  pool.dispatch(
    { path: "/v1/chat/completions", method: "POST", headers, body },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, answered) => {
        response.writeHead(status, {
          "content-type": String(answered["content-type"] ?? "application/json"),
        });
      },
      onResponseData: (controller, bytes) => {
        if (response.write(bytes)) return;
        controller.pause();
        response.once("drain", () => controller.resume());
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => response.destroy(),
    },
  );
}
