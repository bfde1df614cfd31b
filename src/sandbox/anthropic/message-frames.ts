import { textOf } from "../answers/tokens.ts";
import type { StreamFrames } from "../delivery.ts";
import type { JsonObject } from "../json.ts";
import { errorBody } from "./errors.ts";
import { directly, messageHead, neverUsed, signatureOf, stopReason, usagePart } from "./message.ts";
import type { Message } from "./message.ts";

/** The events of a message, one token a delta. */
export function messageFrames(message: Message): StreamFrames {
  const { answer } = message;
  const started = {
    ...messageHead(message),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    ...neverUsed,
    ...usagePart(message, Math.min(answer.outputTokens, 1)),
  };
  const delta = { stop_reason: stopReason(message), stop_sequence: answer.stop ?? null, stop_details: null };
  return {
    head: [event("message_start", { message: started }), event("ping", {})],
    deltas: blocksOf(message).flatMap(framesOf),
    tail: [
      event("message_delta", { delta, ...usagePart(message, answer.outputTokens) }),
      event("message_stop", {}),
    ],
    malformed:
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"\n\n',
    error: `event: error\ndata: ${JSON.stringify(errorBody(529, "The sandbox was ordered to fail in mid-stream."))}\n\n`,
  };
}

function event(type: string, members: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

type Block = { readonly start: JsonObject; readonly deltas: readonly JsonObject[] };

function blocksOf({ id, answer, showsThinking }: Message): readonly Block[] {
  const blocks: Block[] = [];
  if (answer.thinking.length > 0) {
    const shown = showsThinking
      ? answer.thinking.map(({ text }) => ({ type: "thinking_delta", thinking: text }))
      : [];
    blocks.push({
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [...shown, { type: "signature_delta", signature: signatureOf(id) }],
    });
  }
  if (answer.text.length > 0) {
    const deltas = answer.text.map(({ text }) => ({ type: "text_delta", text }));
    blocks.push({ start: { type: "text", text: "", citations: null }, deltas });
  }
  for (const call of answer.calls) {
    // A call without arguments has one empty piece, as the provider's own streams do.
    const pieces = textOf(call.arguments) === "{}" ? [{ text: "" }] : call.arguments;
    blocks.push({
      start: { type: "tool_use", id: `toolu_01${call.id}`, name: call.name, input: {}, caller: directly },
      deltas: pieces.map(({ text }) => ({ type: "input_json_delta", partial_json: text })),
    });
  }
  return blocks;
}

/** The start and the stop of a block travel with its first and last delta, so that a pace spaces out deltas only. */
function framesOf({ start, deltas }: Block, index: number): readonly string[] {
  const frames = deltas.map((delta) => event("content_block_delta", { index, delta }));
  const opening = event("content_block_start", { index, content_block: start });
  const closing = event("content_block_stop", { index });
  return frames.map(
    (frame, at) => (at === 0 ? opening : "") + frame + (at === frames.length - 1 ? closing : ""),
  );
}
