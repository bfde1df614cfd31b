import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const statuses: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const retryAfter = "34s";

/** `{error: {code, message, status, details}}`. No key at all is a 403, a wrong one a 400, as there. */
export function refuseAsGoogle({ status, message, code }: Refusal): RunAnswer {
  if (code === "no_credential") return rpcError(403, "The request is missing an API key.");
  if (code !== "bad_credential") return rpcError(status, message, status === 429 ? quotaDetails : []);
  const reason = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" };
  return rpcError(400, "API key not valid. Please pass a valid API key.", [reason]);
}

const quotaDetails = [
  {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel" }],
  },
  { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: retryAfter },
];

function rpcError(code: number, message: string, details: readonly unknown[] = []): RunAnswer {
  const status = statuses[code] ?? (code < 500 ? "FAILED_PRECONDITION" : "INTERNAL");
  const error = { code, message, status, ...(details.length === 0 ? {} : { details }) };
  return json({ error }, { status: code });
}
