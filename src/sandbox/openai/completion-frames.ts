import type { Answer } from "../answers/answer.ts";
import type { StreamFrames } from "../delivery.ts";
import type { JsonObject } from "../json.ts";
import { finishReason, systemFingerprint } from "./completion.ts";
import type { Completion } from "./completion.ts";
import { errorBody } from "./errors.ts";
import { logprobsMember, logprobsOf } from "./logprobs.ts";

/** `chat.completion.chunk` frames, one token a delta. */
export function completionFrames(completion: Completion, includesUsage: boolean): StreamFrames {
  const { id, created, model, answers, dialect, usage } = completion;
  const isTelling = includesUsage && usage !== undefined;
  const common = {
    id,
    object: "chat.completion.chunk",
    created,
    model,
    system_fingerprint: systemFingerprint,
  };
  const opening = JSON.stringify(common).slice(0, -1);
  const closing = isTelling ? ',"usage":null}\n\n' : "}\n\n";
  const frame = (index: number, { delta, logprobs }: Told, reason: string | null = null): string => {
    const choice = JSON.stringify({ index, delta, logprobs: logprobs ?? null, finish_reason: reason });
    return `data: ${opening},"choices":[${choice}]${closing}`;
  };
  const usageFrame = `data: ${opening},"choices":[],"usage":${JSON.stringify(usage)}}\n\n`;
  return {
    head: [dialect.comment, ...answers.map((answer, index) => frame(index, openingOf(answer, completion)))],
    deltas: answers.flatMap((answer, index) =>
      deltasOf(answer, index, completion).map((told) => frame(index, told)),
    ),
    tail: [
      ...answers.map((answer, index) => frame(index, { delta: {} }, finishReason(answer, completion))),
      isTelling ? usageFrame : "",
      "data: [DONE]\n\n",
    ],
    malformed: `data: ${opening},"choices":[{"index":0,"delta":{"content":"\n\n`,
    error: `data: ${JSON.stringify(errorBody(500, orderedError))}\n\n`,
  };
}

const orderedError = {
  message: "The sandbox was ordered to fail in mid-stream.",
  param: undefined,
  code: undefined,
};

/** A delta, and how likely the tokens in it are. */
type Told = { readonly delta: JsonObject; readonly logprobs?: JsonObject | undefined };

function openingOf({ calls }: Answer, { logprobs }: Completion): Told {
  const isSpoken = calls.length === 0;
  const delta = { role: "assistant", content: isSpoken ? "" : null, refusal: null };
  return { delta, logprobs: isSpoken && logprobs !== undefined ? logprobsMember([]) : undefined };
}

function deltasOf(answer: Answer, index: number, completion: Completion): readonly Told[] {
  const { dialect, logprobs, callsFunctions } = completion;
  const thinking = dialect.showsReasoning
    ? answer.thinking.map(({ text }) => ({ reasoning_content: text }))
    : [];
  const likely = logprobs === undefined ? [] : logprobsOf(answer, index, logprobs).map(logprobsMember);
  const text = answer.text.map((piece, at) => ({ delta: { content: piece.text }, logprobs: likely[at] }));
  const calls = answer.calls.flatMap(({ id, name, isCustom, arguments: given }, at) => {
    const [type, member] = isCustom ? ["custom", "input"] : ["function", "arguments"];
    const opening = { index: at, id: `call_${id}`, type, [type]: { name, [member]: "" } };
    const pieces = given.map(({ text: piece }) => ({ index: at, [type]: { [member]: piece } }));
    return [opening, ...pieces].map((call) => ({ tool_calls: [call] }));
  });
  const functions = answer.calls.flatMap(({ name, arguments: given }) =>
    [{ name, arguments: "" }, ...given.map(({ text: piece }) => ({ arguments: piece }))].map((call) => ({
      function_call: call,
    })),
  );
  const bare = (delta: JsonObject): Told => ({ delta });
  return [...thinking.map(bare), ...text, ...(callsFunctions ? functions : calls).map(bare)];
}
