import type { Answer } from "../answers/answer.ts";
import { textOf } from "../answers/tokens.ts";
import type { JsonObject } from "../json.ts";
import type { Dialect } from "./dialects.ts";
import { logprobsMember, logprobsOf } from "./logprobs.ts";
import type { LogprobsWish } from "./logprobs.ts";

export type Completion = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly answers: readonly Answer[];
  readonly dialect: Dialect;
  readonly usage: JsonObject | undefined;
  readonly logprobs: LogprobsWish | undefined;
  /** Calls are told as `function_call`, as they were before there were tools. */
  readonly callsFunctions: boolean;
};

export const systemFingerprint = "fp_sandbox";

/** A `chat.completion` object. */
export function completionBody(completion: Completion): JsonObject {
  const { id, created, model, answers, usage, logprobs } = completion;
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: answers.map((answer, index) => ({
      index,
      message: messageOf(answer, completion),
      logprobs:
        logprobs === undefined || answer.calls.length > 0
          ? null
          : logprobsMember(logprobsOf(answer, index, logprobs).flat()),
      finish_reason: finishReason(answer, completion),
    })),
    ...(usage === undefined ? {} : { usage }),
    service_tier: "default",
    system_fingerprint: systemFingerprint,
  };
}

function messageOf(answer: Answer, { dialect, callsFunctions }: Completion): JsonObject {
  const text = textOf(answer.text);
  const calls = answer.calls.map((call) => ({
    id: `call_${call.id}`,
    ...(call.isCustom
      ? { type: "custom", custom: { name: call.name, input: textOf(call.arguments) } }
      : { type: "function", function: { name: call.name, arguments: textOf(call.arguments) } }),
  }));
  return {
    role: "assistant",
    content: calls.length > 0 ? null : text,
    refusal: null,
    annotations: [],
    ...calledMember(calls, callsFunctions),
    ...(dialect.showsReasoning && answer.thinking.length > 0
      ? { reasoning_content: textOf(answer.thinking) }
      : {}),
  };
}

function calledMember(calls: readonly JsonObject[], callsFunctions: boolean): JsonObject {
  const [first] = calls;
  if (first === undefined) return {};
  return callsFunctions ? { function_call: first["function"] } : { tool_calls: calls };
}

export function finishReason(
  answer: Answer,
  { callsFunctions }: Completion,
): "stop" | "length" | "tool_calls" | "function_call" {
  if (answer.end === "length") return "length";
  if (answer.end !== "calls") return "stop";
  return callsFunctions ? "function_call" : "tool_calls";
}
