import type { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { requestIdOf } from "./request-id.ts";

const codes: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "INVALID_AUTH",
  402: "ASR_PAYMENT_REQUIRED",
  403: "INSUFFICIENT_PERMISSIONS",
  404: "NOT_FOUND",
  413: "PAYLOAD_TOO_LARGE",
  429: "TOO_MANY_REQUESTS",
  503: "SERVICE_UNAVAILABLE",
  504: "GATEWAY_TIMEOUT",
};

/** `{err_code, err_msg, request_id}`; for JSON that cannot be read, or lacks a member, `{category, message, details}`. */
export function refuseAsDeepgram({ status, message, code }: Refusal, request: RunRequest): RunAnswer {
  const request_id = requestIdOf(request);
  if (status === 400 && (code === "bad_json" || code === "missing")) {
    const told = { category: "INVALID_JSON", message: "Invalid JSON submitted.", details: message };
    return json({ ...told, request_id }, { status });
  }
  const isOwn = code !== undefined && /^[A-Z]/.test(code);
  const err_code = isOwn ? code : (codes[status] ?? "INTERNAL_SERVER_ERROR");
  const err_msg = status === 401 ? "Invalid credentials." : message;
  return json({ err_code, err_msg, request_id }, { status });
}
