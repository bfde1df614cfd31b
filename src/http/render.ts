import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Problem } from "../core/problems.ts";
import type { DoorAnswer, DoorHeaders } from "./door.ts";

export type Refusal = {
  readonly requestId: string;
  readonly problem: Problem;
  readonly headers?: DoorHeaders;
  /** The answer to HEAD has no body. */
  readonly isHeadOnly?: boolean;
};

/** Writes an error as an answer. */
export function sendProblem(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { requestId, problem } = refusal;
  sendAnswer(response, requestId, {
    status: problem.status,
    body: { error: problem.toError(requestId) },
    headers: problemHeaders(refusal),
  });
}

/** The same error as bytes, for a connection that ends with it. */
export function closingAnswer(refusal: Refusal): string {
  const { requestId, problem } = refusal;
  const body = JSON.stringify({ error: problem.toError(requestId) });
  const headers = {
    ...jsonHeaders(
      { status: problem.status, requestId, headers: problemHeaders(refusal) },
      Buffer.byteLength(body),
    ),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}\r\n${lines.join("")}\r\n${refusal.isHeadOnly === true ? "" : body}`;
}

function problemHeaders({ problem, headers }: Refusal): DoorHeaders {
  const more: Record<string, string> = { "x-skillboss-cost": "0.000000", ...headers };
  if (problem.status === 401) more["www-authenticate"] = "Bearer";
  if (problem.retryAfterSeconds !== undefined)
    more["retry-after"] = String(Math.max(1, Math.ceil(problem.retryAfterSeconds)));
  // OpenAI's and Anthropic's clients ask again by the status alone, unless they are told.
  if (problem.isFinal) more["x-should-retry"] = "false";
  return more;
}

export function sendAnswer(response: ServerResponse, requestId: string, answer: DoorAnswer): void {
  const head = { status: answer.status, requestId, headers: answer.headers ?? {} };
  if (answer.json !== undefined) {
    sendPieces(response, head, answer.json);
    return;
  }
  if (answer.body === undefined) {
    response.writeHead(answer.status, { "x-request-id": requestId, ...answer.headers });
    response.end();
    return;
  }
  sendJson(response, head, JSON.stringify(answer.body, exactNumbers));
}

/** JSON that others send as well: no client that reads slowly keeps a copy of it. */
function sendPieces(response: ServerResponse, head: Head, pieces: readonly Buffer[]): void {
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  response.writeHead(head.status, jsonHeaders(head, sizeBytes));
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
}

export type Head = { readonly status: number; readonly requestId: string; readonly headers: DoorHeaders };

/** Up to this size head and body travel as one string, which costs less than two buffers in one system call. */
const mostJoinedBytes = 16 * 1024;

/** JSON text that is ready as it is. */
export function sendJson(response: ServerResponse, head: Head, json: string): void {
  const sizeBytes = Buffer.byteLength(json);
  response.writeHead(head.status, jsonHeaders(head, sizeBytes));
  if (sizeBytes > mostJoinedBytes) response.end(Buffer.from(json));
  // As many bytes as characters: all of it is ASCII, which has the same bytes in both encodings.
  else if (sizeBytes === json.length) response.end(json, "latin1");
  else response.end(Buffer.from(json).toString("latin1"), "latin1");
}

function jsonHeaders({ requestId, headers }: Head, sizeBytes: number): Record<string, string | number> {
  return {
    "content-type": "application/json",
    "content-length": sizeBytes,
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...headers,
  };
}

/** A bigint that reaches an answer is a count; amounts are formatted where they are known to be amounts. */
function exactNumbers(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
