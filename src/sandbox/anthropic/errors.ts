const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The error object of the Messages wire. */
export function errorBody(
  status: number,
  message: string,
): { readonly type: "error"; readonly error: { readonly type: string; readonly message: string } } {
  return { type: "error", error: { type: types[status] ?? "api_error", message } };
}
