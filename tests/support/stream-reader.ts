import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import type { Socket } from "node:net";
import type { Gateway } from "./gateway.ts";

/** A frame of the answer under test: each test asserts the members it reads. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Frame = any;

/** What a client saw of one streamed answer. Times are `performance.now()`. */
export type StreamSeen = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly frames: readonly Frame[];
  /** When each frame was here. */
  readonly frameTimes: readonly number[];
  readonly commentTimes: readonly number[];
  /** How often `[DONE]` came. */
  readonly dones: number;
  /** All text of choice 0. */
  readonly content: string;
  readonly finishReason: string | undefined;
  readonly error: Frame;
  readonly startedAt: number;
  readonly headAt: number;
  readonly endedAt: number;
};

/** Asks for a stream, with a hello unless the body has messages of its own, and reads it to its end. */
export async function stream(
  gateway: Gateway,
  key: string,
  body: Readonly<Record<string, unknown>>,
): Promise<StreamSeen> {
  const startedAt = performance.now();
  const response = await gateway.chat(key, { ...hello, stream: true, ...body });
  const headAt = performance.now();
  const events = new SeenEvents();
  for await (const bytes of response.body ?? []) events.push(Buffer.from(bytes));
  const { status, headers } = response;
  if (status === 200) events.finish();
  const { text, frames, frameTimes, commentTimes, dones } = events;
  const choices = frames.flatMap((frame) => frame.choices ?? []).filter((choice) => choice.index === 0);
  return {
    ...{ status, headers, text, frames, frameTimes, commentTimes, dones, startedAt, headAt },
    content: choices.map((choice) => choice.delta.content ?? "").join(""),
    finishReason: choices.findLast((choice) => typeof choice.finish_reason === "string")?.finish_reason,
    error:
      status === 200 ? frames.findLast((frame) => frame.error !== undefined)?.error : events.json().error,
    endedAt: performance.now(),
  };
}

export const hello = { messages: [{ role: "user", content: "Hello" }] } as const;

/** A parser that is stricter than clients are: one `data:` line or comment, a blank line, nothing else. */
class SeenEvents {
  readonly frames: Frame[] = [];
  readonly frameTimes: number[] = [];
  readonly commentTimes: number[] = [];
  dones = 0;
  readonly #bytes: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);

  get text(): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(this.#bytes));
  }

  json(): Frame {
    return JSON.parse(this.text);
  }

  push(bytes: Buffer): void {
    this.#bytes.push(bytes);
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
      this.#take(rest.subarray(0, end));
      rest = rest.subarray(end + 2);
    }
    this.#rest = rest;
  }

  finish(): void {
    assert.equal(this.#rest.toString(), "", "the stream ends with a blank line");
  }

  #take(event: Buffer): void {
    if (event.toString("latin1", 0, 1) === ":") {
      this.commentTimes.push(performance.now());
      return;
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(event);
    assert.equal(this.dones, 0, `nothing follows [DONE]: ${text.slice(0, 200)}`);
    assert.match(text.slice(0, 300), /^data: [^\r\n]*$/);
    if (text === "data: [DONE]") {
      this.dones += 1;
      return;
    }
    this.frames.push(JSON.parse(text.slice("data: ".length)));
    this.frameTimes.push(performance.now());
  }
}

export type RawChat = {
  readonly socket: Socket;
  /** What arrived so far, head included. */
  received(): Buffer;
  /** Resolves when the server closed the connection, or both sides did. */
  readonly closed: Promise<void>;
};

/** A chat call on a socket of its own, for clients that leave or do not read. */
export async function rawChat(
  gateway: Gateway,
  key: string,
  body: Readonly<Record<string, unknown>>,
): Promise<RawChat> {
  const socket = net.connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  const parts: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => parts.push(bytes));
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.once("end", () => resolve());
  });
  await once(socket, "connect");
  const json = Buffer.from(JSON.stringify({ ...hello, stream: true, ...body }));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: ${new URL(gateway.url).host}\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${json.length}\r\nconnection: close\r\n\r\n`,
  );
  socket.write(json);
  return { socket, received: () => Buffer.concat(parts), closed };
}

/** The text in a raw answer of chunked HTTP. Good for answers whose frames have no `content` beside that of choice 0. */
export function receivedContent(received: Buffer): { readonly content: string; readonly isDone: boolean } {
  const text = unchunked(received).toString();
  const pieces = Array.from(text.matchAll(/"content":"([^"\\]*)"/g), (match) => match[1] ?? "");
  return { content: pieces.join(""), isDone: text.endsWith("data: [DONE]\n\n") };
}

function unchunked(received: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = received.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const lineEnd = received.indexOf("\r\n", at);
    const sizeBytes = Number.parseInt(received.toString("latin1", at, lineEnd), 16);
    if (lineEnd === -1 || !(sizeBytes > 0)) return Buffer.concat(parts);
    parts.push(received.subarray(lineEnd + 2, lineEnd + 2 + sizeBytes));
    at = lineEnd + 2 + sizeBytes + 2;
  }
}
