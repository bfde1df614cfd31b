import { isJsonObject } from "../core/json-object.ts";
import type { ChatChunk } from "./chat-answers.ts";
import { ClientError } from "./errors.ts";
import { EventReader } from "./event-reader.ts";
import { broken } from "./link.ts";

export type ChatStreamSettings = { readonly url: string; readonly signal: AbortSignal | undefined };

/**
 * The chunks of a streamed answer as they arrive. Throws what the stream tells as an error, and `answer_broken` when
 * it ends without its end mark: an answer that was cut never looks whole. Leaving the loop ends the call.
 */
export async function* chunksOf(
  response: Response,
  { url, signal }: ChatStreamSettings,
): AsyncGenerator<ChatChunk, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) throw broken(response, url);
  const decoder = new TextDecoder();
  const events = new EventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        signal?.throwIfAborted();
        throw broken(response, url, error);
      });
      if (done) throw broken(response, url);
      for (const data of events.push(decoder.decode(value, { stream: true }))) {
        if (data === "[DONE]") return;
        yield chunkOf(data, response, url);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function chunkOf(data: string, response: Response, url: string): ChatChunk {
  const value = parsed(data);
  if (!isJsonObject(value)) throw broken(response, url);
  const { error } = value;
  if (isJsonObject(error)) {
    const requestId = response.headers.get("x-request-id") ?? undefined;
    throw new ClientError({ status: response.status, error, requestId });
  }
  if (!isChunk(value)) throw broken(response, url);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isChunk(value: object): value is ChatChunk {
  return "choices" in value && Array.isArray(value.choices);
}
