import { fingerprintOf } from "../answers/random.ts";
import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const sentences: Readonly<Record<number, string>> = {
  401: "invalid api token",
  402: "please add or update your payment method",
  429: "You are past the per minute request limit, please wait and try again later.",
  500: "internal server error",
};

/** `{id, message}`. */
export function refuseAsCohere({ status, message, code }: Refusal): RunAnswer {
  const text = code === "no_credential" ? "no api key supplied" : (sentences[status] ?? message);
  return json({ id: fingerprintOf(`${status} ${text}`).slice(0, 32), message: text }, { status });
}
