import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

type Told = { readonly code: number; readonly message: string };

const told: Readonly<Record<number, Told>> = {
  400: { code: 2013, message: "invalid params" },
  401: { code: 1004, message: "login fail: please carry the API secret key in the Authorization field" },
  402: { code: 1008, message: "insufficient balance" },
  429: { code: 1002, message: "rate limit exceeded" },
};

/** `{base_resp: {status_code, status_msg}}` with the status 200; only what the machines before the API say has its own. */
export function refuseAsMinimax({ status, message, code }: Refusal, request: RunRequest): RunAnswer {
  const known = told[status];
  const named = code !== undefined && /^\d{4}$/.test(code) ? { code: Number(code), message } : undefined;
  const said = named ?? (code === "bad_credential" ? { code: 2049, message: "invalid api key" } : known);
  const { code: status_code, message: text } = said ?? { code: 1000, message: "unknown error" };
  const isParameter = status_code === 2013 && status === 400;
  const status_msg = isParameter ? `${text}, ${message}` : text;
  const trace_id = request.seed.slice(0, 32);
  return json(
    { base_resp: { status_code, status_msg }, trace_id },
    { status: said === undefined ? status : 200 },
  );
}
