import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { Refusal } from "../refusal.ts";

const codes: Readonly<Record<number, string>> = {
  400: "VALIDATION_ERROR",
  401: "UNAUTHORIZED",
  402: "PAYMENT_REQUIRED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  413: "PAYLOAD_TOO_LARGE",
  429: "TOO_MANY_REQUESTS",
  503: "SERVICE_UNAVAILABLE",
};
/** Codes of the frame and of field rules, which are no codes of Linkup's. */
const own = /^[a-z_]+$/;

/** `{statusCode, error: {code, message, details: [{field, message}]}}`. */
export function refuseAsLinkup({ status, message, param, code }: Refusal): RunAnswer {
  const isOwn = code === undefined || own.test(code);
  const details = param === undefined ? [] : [{ field: param, message }];
  return json(
    {
      statusCode: status,
      error: {
        code: isOwn ? (codes[status] ?? "INTERNAL_SERVER_ERROR") : code,
        message: param === undefined ? message : "The request failed validation.",
        details,
      },
    },
    { status },
  );
}
