import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./refusal.ts";

/** One request, its body read, and the response to write to. */
export type Exchange = {
  /** The first part of the path: `openai`, `deepseek`, `anthropic`… */
  readonly provider: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
  /** Ends all work for this request; aborted when the client leaves or the sandbox stops. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How many tokens a model of this provider takes, where that is known. */
  readonly windowOf: (model: string) => number | undefined;
};

export type Door = (exchange: Exchange) => Promise<void>;

/** Both vendors refuse larger bodies; so does the sandbox, after reading no more than this. */
export const largestBodyBytes = 32 * 1_024 * 1_024;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > largestBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > largestBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Refusal {
  return new Refusal(413, "The request is larger than 32 MB.");
}

/** The key a client sent, as a bearer token or as x-api-key; "" when there is none. */
export function credentialOf(headers: IncomingHttpHeaders): string {
  const apiKey = headers["x-api-key"];
  const bearer = /^Bearer +(.*)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  return typeof apiKey === "string" && apiKey !== "" ? apiKey : bearer.trim();
}

export type Headers = Readonly<Record<string, string>>;

export function sendJson(
  response: ServerResponse,
  status: number,
  content: { body: unknown; headers: Headers },
): void {
  const text = JSON.stringify(content.body);
  response.writeHead(status, {
    ...content.headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

/** The id in a path like `/v1/models/gpt-5`, decoded; undefined for other paths and for what cannot be decoded. */
export function modelIdIn(path: string): string | undefined {
  const id = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    return undefined;
  }
}
