import type { Refusal } from "../refusal.ts";

type Kind = { readonly type: string; readonly code: string | null };

const badRequest: Kind = { type: "invalid_request_error", code: null };
const broken: Kind = { type: "server_error", code: null };

const kinds: Readonly<Record<number, Kind>> = {
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  402: { type: "insufficient_quota", code: "insufficient_quota" },
  404: { type: "invalid_request_error", code: "unknown_url" },
  429: { type: "requests", code: "rate_limit_exceeded" },
  500: broken,
  503: { type: "service_unavailable_error", code: "overloaded" },
};

/** The error object of the OpenAI wire: message, type, param and code, each always present. */
export function errorBody(status: number, refusal: Pick<Refusal, "message" | "param" | "code">): unknown {
  const kind = kinds[status] ?? (status < 500 ? badRequest : broken);
  const { message, param, code } = refusal;
  return { error: { message, type: kind.type, param: param ?? null, code: code ?? kind.code } };
}
