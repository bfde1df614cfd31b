import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "The API key you provided is not valid.",
  402: "You do not have enough credits to run this task.",
  404: "The resource was not found.",
  429: "You have sent too many requests.",
  500: "Internal server error.",
  503: "The service is overloaded.",
};
const docUrl = "https://docs.dev.runwayml.com/api";

/** `{error}`, for a member at fault with `issues` beside it. Too few credits are a 400. */
export function refuseAsRunway({ status, message, param, code }: Refusal): RunAnswer {
  if (param !== undefined && status === 400) {
    const issues = [{ code: code ?? "invalid_value", message, path: [param] }];
    return json({ error: "Validation of body failed", issues, docUrl }, { status });
  }
  const error = sentences[status] ?? message;
  return json({ error, docUrl }, { status: status === 402 ? 400 : status });
}
