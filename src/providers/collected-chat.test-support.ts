import assert from "node:assert/strict";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { AnswerView, StreamTranslation, WholeAnswer } from "./wire.ts";

export const batteryView: AnswerView = {
  model: "model-as-asked",
  id: "chatcmpl-battery",
  created: 1_750_000_000,
  choices: 1,
};

/** What a translated stream came to. */
export type Streamed = {
  /** All bytes for the customer: `push`, `end`, then `closing`. */
  readonly bytes: Buffer;
  readonly beforeClosing: Buffer;
  readonly translation: StreamTranslation;
};

/** Feeds the stream in the given pieces, to its end. */
export function streamed(translation: StreamTranslation, pieces: readonly Buffer[]): Streamed {
  const parts: Buffer[] = [];
  for (const piece of pieces) parts.push(Buffer.from(translation.push(piece), translation.encoding));
  parts.push(Buffer.from(translation.end(), translation.encoding));
  const beforeClosing = Buffer.concat(parts);
  const closing = Buffer.from(translation.closing(), translation.encoding);
  return { bytes: Buffer.concat([beforeClosing, closing]), beforeClosing, translation };
}

/** The pieces between the given positions; positions out of range are taken into it. */
export function cutAt(bytes: Buffer, positions: readonly number[]): readonly Buffer[] {
  const inner = positions.map((position) => position % (bytes.length + 1));
  const edges = [0, ...inner.sort((one, other) => one - other), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

/** The JSON of every frame. Fails unless all bytes are well-formed `data: …` frames of valid UTF-8. */
export function framesOf(bytes: Buffer): readonly JsonObject[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const frames = text.split("\n\n");
  assert.equal(frames.pop(), "", "the last frame ends with a blank line");
  return frames.map((frame) => {
    assert.match(frame, /^data: \{[^\r\n]*\}$/);
    return object(JSON.parse(frame.slice(6)));
  });
}

export function object(value: unknown): JsonObject {
  assert.ok(isJsonObject(value), "an object");
  return value;
}

export function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  assert.ok(Array.isArray(value), "an array");
  return value;
}

function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  assert.ok(typeof value === "string", "a string");
  return value;
}

export type Collected = {
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finishReason: string | undefined;
};

type CallParts = { id: string; name: string; arguments: string };

/** Puts the deltas of one choice together as OpenAI's SDKs do. */
export function collect(frames: readonly JsonObject[], choiceIndex = 0): Collected {
  const calls: CallParts[] = [];
  let content = "";
  let reasoning = "";
  let finishReason: string | undefined;
  for (const choice of frames.flatMap((frame) => list(frame["choices"])).map(object)) {
    if (choice["index"] !== choiceIndex) continue;
    const delta = object(choice["delta"] ?? {});
    content += text(delta["content"]);
    reasoning += text(delta["reasoning_content"]);
    for (const call of list(delta["tool_calls"]).map(object)) addCall(calls, call);
    finishReason = typeof choice["finish_reason"] === "string" ? choice["finish_reason"] : finishReason;
  }
  return { content, reasoning, toolCalls: calls, finishReason };
}

function addCall(calls: CallParts[], call: JsonObject): void {
  assert.equal(typeof call["index"], "number", "a tool call delta has an index");
  const index = Number(call["index"]);
  assert.ok(index <= calls.length, "tool call indexes have no gaps");
  const parts = (calls[index] ??= { id: "", name: "", arguments: "" });
  const called = object(call["function"] ?? {});
  parts.id += text(call["id"]);
  parts.name += text(called["name"]);
  parts.arguments += text(called["arguments"]);
}

/** Choice 0 of a whole answer, in the same form as a collected stream. */
export function readWhole({ members }: Pick<WholeAnswer, "members">): Collected {
  const choice = object(list(object(JSON.parse(`{${members}}`))["choices"])[0]);
  const message = object(choice["message"]);
  assert.equal(message["role"], "assistant");
  const toolCalls = list(message["tool_calls"]).map(object);
  return {
    content: text(message["content"]),
    reasoning: text(message["reasoning_content"]),
    toolCalls: toolCalls.map((call) => {
      const called = object(call["function"]);
      return { id: text(call["id"]), name: text(called["name"]), arguments: text(called["arguments"]) };
    }),
    finishReason: text(choice["finish_reason"]),
  };
}
