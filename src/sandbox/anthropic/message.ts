import type { Answer } from "../answers/answer.ts";
import { fingerprintOf } from "../answers/random.ts";
import { textOf } from "../answers/tokens.ts";
import type { JsonObject } from "../json.ts";

export type Message = {
  readonly id: string;
  readonly model: string;
  readonly answer: Answer;
  /** False: thinking blocks carry a signature and no text. */
  readonly showsThinking: boolean;
  /** The input side of `usage`; undefined leaves usage out everywhere. */
  readonly input: JsonObject | undefined;
  /** The window leaves less than was asked for. */
  readonly isBoundByWindow: boolean;
};

/** Members that each message has, of things that the sandbox does not do. */
export const neverUsed = { container: null, diagnostics: null } as const;

/** Who calls a tool: the model itself, not a program of its own. */
export const directly = { type: "direct" } as const;

/** A `message` object. */
export function messageBody(message: Message): JsonObject {
  const { answer } = message;
  return {
    ...messageHead(message),
    content: contentOf(message),
    stop_reason: stopReason(message),
    stop_sequence: answer.stop ?? null,
    stop_details: null,
    ...neverUsed,
    ...usagePart(message, answer.outputTokens),
  };
}

export function messageHead({ id, model }: Message): JsonObject {
  return { id, type: "message", role: "assistant", model };
}

export function usagePart({ input, answer }: Message, outputTokens: number): JsonObject {
  if (input === undefined) return {};
  const thinking = Math.min(answer.thinkingTokens, outputTokens);
  return {
    usage: {
      ...input,
      output_tokens: outputTokens,
      output_tokens_details: { thinking_tokens: thinking },
      server_tool_use: null,
      service_tier: "standard",
      speed: null,
      inference_geo: null,
    },
  };
}

function contentOf({ id, answer, showsThinking }: Message): readonly JsonObject[] {
  const content: JsonObject[] = [];
  if (answer.thinking.length > 0) {
    const thinking = showsThinking ? textOf(answer.thinking) : "";
    content.push({ type: "thinking", thinking, signature: signatureOf(id) });
  }
  if (answer.text.length > 0) content.push({ type: "text", text: textOf(answer.text), citations: null });
  for (const call of answer.calls) {
    const input = parsedOr(textOf(call.arguments), {});
    content.push({ type: "tool_use", id: `toolu_01${call.id}`, name: call.name, input, caller: directly });
  }
  return content;
}

/** Arguments that were cut short cannot be parsed; what is shown then is an empty input. */
function parsedOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function signatureOf(id: string): string {
  return Buffer.from(fingerprintOf(`${id} signature`), "hex").toString("base64");
}

type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "model_context_window_exceeded";

export function stopReason({ answer, isBoundByWindow }: Message): StopReason {
  switch (answer.end) {
    case "length":
      return isBoundByWindow ? "model_context_window_exceeded" : "max_tokens";
    case "stop":
      return "stop_sequence";
    case "calls":
      return "tool_use";
    case "done":
      return "end_turn";
  }
}
