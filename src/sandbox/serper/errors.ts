import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

const sentences: Readonly<Record<number, string>> = {
  403: "Unauthorized.",
  404: "Not found",
  429: "Rate limit exceeded",
  500: "Internal server error",
};

/** `{message, statusCode}`. A wrong key is a 403, an empty account a 400. */
export function refuseAsSerper({ status, message }: Refusal): RunAnswer {
  if (status === 402) return refused(400, "Not enough credits");
  const told = status === 401 ? 403 : status;
  return refused(told, sentences[told] ?? message);
}

function refused(status: number, message: string): RunAnswer {
  return json({ message, statusCode: status }, { status });
}
