import { isGiven, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";

/** Members that only models which reason take, or only those that do not; platform.openai.com/docs/guides/reasoning */
const forOthers = ["temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias"];
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
  if (/^(?:gpt-3|gpt-4)/.test(model)) refuseGiven(request, "reasoning_effort");
  if (/^(?:o\d|gpt-[5-9])/.test(model) && request["reasoning_effort"] !== "none") {
    for (const name of forOthers) if (request[name] !== usual[name]) refuseGiven(request, name);
  }
}

function refuseGiven(request: JsonObject, name: string): void {
  if (!isGiven(request[name])) return;
  throw new Refusal(400, `${name} is not supported with this model.`, {
    param: name,
    code: "unsupported_parameter",
  });
}
