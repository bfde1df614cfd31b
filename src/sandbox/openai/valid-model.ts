import { isGiven, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";

/** Members that only models which reason take, or only those that do not; platform.openai.com/docs/guides/reasoning */
const forOthers = ["temperature", "top_p", "presence_penalty", "frequency_penalty"].concat([
  "logprobs",
  "top_logprobs",
  "logit_bias",
]);
/** What models that reason refuse at any effort: also GPT-5.1 and 5.2, whose usual effort is none. */
const forPlainModels = ["stop", "prediction", "audio"];
const usual: Readonly<Record<string, unknown>> = {
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  logprobs: false,
};

/** What OpenAI's own models refuse each; other providers' models take what their wire takes. */
export function checkModel(request: JsonObject, provider: string): void {
  if (provider !== "openai") return;
  const model = stringOr(request["model"], "");
  const isOlder = /^(?:gpt-3|gpt-4|o\d)/.test(model);
  if (/^(?:gpt-3|gpt-4)/.test(model)) refuseGiven(request, "reasoning_effort");
  if (/^o\d/.test(model)) refuseGiven(request, "parallel_tool_calls");
  if (isOlder && isGiven(request["verbosity"]) && request["verbosity"] !== "medium")
    throw new Refusal(400, "verbosity of this model is medium.", {
      param: "verbosity",
      code: "unsupported_value",
    });
  if (!/^(?:o\d|gpt-[5-9])/.test(model)) return;
  for (const name of forPlainModels) refuseGiven(request, name);
  if (request["reasoning_effort"] === "none") return;
  for (const name of forOthers) if (request[name] !== usual[name]) refuseGiven(request, name);
}

function refuseGiven(request: JsonObject, name: string): void {
  if (!isGiven(request[name])) return;
  throw new Refusal(400, `${name} is not supported with this model.`, {
    param: name,
    code: "unsupported_parameter",
  });
}
