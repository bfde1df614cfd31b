import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";
import type { RunRequest } from "../run-request.ts";

type Told = { readonly status: number; readonly code: number; readonly message: string };

/** An empty account is told with the status of too many requests. */
const told: Readonly<Record<number, Told>> = {
  401: { status: 401, code: 1_000, message: "Authentication failed" },
  402: { status: 429, code: 1_102, message: "Account balance not enough" },
  404: { status: 404, code: 1_203, message: "The requested resource does not exist" },
  429: { status: 429, code: 1_302, message: "API request too fast, exceeding the rate limit" },
  500: { status: 500, code: 5_000, message: "Internal server error" },
  503: { status: 503, code: 5_001, message: "Server temporarily unavailable" },
};

/** `{code, message, request_id}`: the same envelope as everywhere, with a code that is not 0. */
export function refuseAsKling({ status, message, code }: Refusal, request: RunRequest): RunAnswer {
  const known = told[status] ?? { status, code: status < 500 ? 1_201 : 5_000, message };
  const isRefused = code === "sensitive";
  const said = isRefused ? { status: 400, code: 1_301, message } : known;
  return json(
    { code: said.code, message: said.message, request_id: request.seed.slice(0, 32) },
    { status: said.status },
  );
}
