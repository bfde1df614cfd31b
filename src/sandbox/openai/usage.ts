import type { Answer } from "../answers/answer.ts";
import type { Tokenizer } from "../answers/tokens.ts";
import { isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { Dialect } from "./dialects.ts";

/** Tokens that frame each message, and the beginning of the answer. */
const tokensPerMessage = 4;
const tokensOfFrame = 3;
/** What a picture counts; a sound or a file is taken for one too. */
const tokensOfPicture = { low: 85, high: 765 };

export type Usage = { readonly shown: JsonObject; readonly total: number };

type Answered = { readonly answers: readonly Answer[]; readonly dialect: Dialect };

export async function promptTokensOf(request: JsonObject, tokenizer: Tokenizer): Promise<number> {
  return tokensBesideText(request) + (await tokenizer.countAll(textsIn(request)));
}

export function usageOf(prompt: number, { answers, dialect }: Answered): Usage {
  const output = answers.reduce((sum, answer) => sum + answer.outputTokens, 0);
  const reasoning = answers.reduce((sum, answer) => sum + answer.thinkingTokens, 0);
  const shown = {
    prompt_tokens: prompt,
    completion_tokens: dialect.reasoningOutsideCompletion ? output - reasoning : output,
    total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    ...dialect.extraUsage(prompt),
  };
  return { shown, total: prompt + output };
}

function* textsIn(request: JsonObject): Generator<string> {
  for (const message of objectsIn(request["messages"])) {
    const { content, name } = message;
    if (typeof content === "string") yield content;
    for (const part of objectsIn(content)) yield stringOr(part["text"], stringOr(part["refusal"], ""));
    if (typeof name === "string") yield name;
    for (const call of objectsIn(message["tool_calls"])) yield calledText(call);
  }
  for (const called of objectsIn(request["functions"])) yield JSON.stringify(called);
  for (const tool of objectsIn(request["tools"]))
    yield JSON.stringify(tool["function"] ?? tool["custom"] ?? {});
  if (isObject(request["response_format"]))
    yield JSON.stringify(request["response_format"]["json_schema"] ?? "");
}

function calledText({ function: called, custom }: JsonObject): string {
  if (isObject(called)) return `${stringOr(called["name"], "")}${stringOr(called["arguments"], "")}`;
  return isObject(custom) ? `${stringOr(custom["name"], "")}${stringOr(custom["input"], "")}` : "";
}

function tokensBesideText(request: JsonObject): number {
  let tokens = tokensOfFrame;
  for (const message of objectsIn(request["messages"])) {
    tokens += tokensPerMessage;
    for (const part of objectsIn(message["content"])) {
      if (part["type"] === "text" || part["type"] === "refusal") continue;
      const picture = part["image_url"];
      tokens += isObject(picture) && picture["detail"] === "low" ? tokensOfPicture.low : tokensOfPicture.high;
    }
  }
  return tokens;
}
