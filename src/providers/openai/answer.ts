import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { AnswerView, Target, UpstreamFault, WholeAnswer } from "../wire.ts";
import { UnreadableAnswer } from "../wire.ts";
import { shapedMembers } from "./answer-members.ts";
import { hasOutput, outputOf } from "./choice-output.ts";
import { errorIn, faultOfError } from "./fault.ts";
import { plainlyFiltered } from "./finish-reasons.ts";
import { foreignText, shapeOf } from "../foreign-text.ts";
import { readUsage } from "./usage.ts";

/** Reads a whole answer. Throws `UnreadableAnswer` for all that is not a chat completion, errors told with 200 included. */
export function openaiAnswer(bytes: Buffer, view: AnswerView, target: Target): WholeAnswer {
  const text = bytes.toString("utf8");
  const answer = parsedAnswer(text);
  const told = choicesOf(answer);
  const filtered = plainlyFiltered(told, "message");
  const messages = (filtered ?? told).map(messageOf);
  const shape = { view, object: "chat.completion" } as const;
  const members = shapedMembers(
    text,
    answer,
    filtered === undefined ? shape : { ...shape, choices: filtered },
  );
  if (members === undefined) throw unreadable("a member occurs twice in the answer");
  return {
    members,
    usage: readUsage(answer["usage"], target.quirks),
    hasOutput: messages.some(hasOutput),
    ranOut: told.some((choice) => choice["finish_reason"] === "length"),
    outputText: () => messages.map(outputOf).join(""),
  };
}

export function unreadable(detail: string): UnreadableAnswer {
  return new UnreadableAnswer(unreadableFault(detail));
}

export function unreadableFault(detail: string): UpstreamFault {
  return { kind: "unreadable", detail: foreignText(detail) };
}

function parsedAnswer(text: string): JsonObject {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw unreadable(shapeOf(text));
  }
  const error = errorIn(answer);
  if (error !== undefined) throw new UnreadableAnswer(faultOfError(error));
  if (!isJsonObject(answer)) throw unreadable(`not an object: ${shapeOf(text)}`);
  return answer;
}

function choicesOf(answer: JsonObject): readonly JsonObject[] {
  const choices = answer["choices"];
  if (!Array.isArray(choices)) throw unreadable("no choices in the answer");
  return choices.map((choice: unknown) => {
    if (!isJsonObject(choice)) throw unreadable("a choice is not an object");
    return choice;
  });
}

function messageOf(choice: JsonObject): JsonObject {
  const fault = faultOfChoice(choice);
  if (fault !== undefined) throw new UnreadableAnswer(fault);
  if (!isJsonObject(choice["message"])) throw unreadable("a choice has no message");
  return choice["message"];
}

/**
 * Finish reasons of generations that failed, and the status that stands for each. OpenRouter ends a choice with `error`
 * (https://openrouter.ai/docs/api-reference/errors), DeepSeek breaks off where its own capacity ends
 * (https://api-docs.deepseek.com/api/create-chat-completion).
 */
const failedFinishes: ReadonlyMap<unknown, number> = new Map([
  ["error", 500],
  ["insufficient_system_resource", 503],
]);

export function faultOfChoice(choice: JsonObject): UpstreamFault | undefined {
  const error = choice["error"] ?? undefined;
  if (error !== undefined) return faultOfError(error);
  const reason = choice["finish_reason"];
  const code = failedFinishes.get(reason);
  return code === undefined
    ? undefined
    : faultOfError({ code, message: `finish_reason is ${String(reason)}` });
}
