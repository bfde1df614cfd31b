import { bytes } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Unauthenticated",
  402: "Insufficient credit",
  404: "Not found",
  422: "Input validation failed",
  429: "Too many requests",
  500: "Internal server error",
  503: "Service unavailable",
};

/** `{title, detail, status}` as application/problem+json; for 422 with the members at fault. */
export function refuseAsReplicate({ status, message, param, code }: Refusal): RunAnswer {
  const type = code === "missing" ? "required" : "invalid";
  const fields =
    param === undefined ? {} : { invalid_fields: [{ type, field: param, description: message }] };
  const problem = {
    title: titles[status] ?? "Error",
    detail: param === undefined ? message : `- ${param}: ${message}\n`,
    status,
    ...fields,
    ...(status === 429 ? { retry_after: 1 } : {}),
  };
  return bytes("application/problem+json", JSON.stringify(problem), {
    status,
    headers: status === 429 ? { "retry-after": "1" } : {},
  });
}
