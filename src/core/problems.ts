/**
 * Everything that can go wrong as a customer may read it: code → status, type, default message. `isFinal`: asking again
 * would do harm or be in vain, although clients ask again for this status by themselves; they are told not to.
 * The error documentation and the OpenAPI document are checked against this list.
 */
export const problems = {
  invalid_request: { status: 400, type: "invalid_request_error", message: "The request is not valid." },
  invalid_json: { status: 400, type: "invalid_request_error", message: "The body is not valid JSON." },
  wrong_endpoint: { status: 400, type: "invalid_request_error", message: "This model is not called here." },
  url_not_allowed: {
    status: 400,
    type: "invalid_request_error",
    message: "This address may not be fetched.",
  },
  context_length_exceeded: {
    status: 400,
    type: "invalid_request_error",
    message:
      "The prompt is longer than this model takes, or leaves no room for the output asked for. Shorten the messages, or lower max_tokens.",
  },
  upstream_rejected_request: {
    status: 400,
    type: "invalid_request_error",
    message: "The provider of this model refused the request as invalid.",
    isFinal: true,
  },
  content_refused: {
    status: 400,
    type: "invalid_request_error",
    message: "The provider of this model does not make what these inputs ask for. Nothing was charged.",
    isFinal: true,
  },
  missing_authorization: {
    status: 401,
    type: "invalid_request_error",
    message: "Send your key as `Authorization: Bearer sk-…`.",
  },
  invalid_api_key: { status: 401, type: "invalid_request_error", message: "Invalid API key provided." },
  insufficient_balance: { status: 402, type: "insufficient_balance", message: "Insufficient credits." },
  model_not_allowed: { status: 403, type: "permission_error", message: "This key may not call this model." },
  not_found: { status: 404, type: "invalid_request_error", message: "There is nothing at this address." },
  model_not_found: { status: 404, type: "invalid_request_error", message: "There is no such model." },
  method_not_allowed: {
    status: 405,
    type: "invalid_request_error",
    message: "This address does not take this method.",
  },
  request_timeout: {
    status: 408,
    type: "invalid_request_error",
    message: "The request body did not arrive in time.",
  },
  key_limit_reached: {
    status: 409,
    type: "invalid_request_error",
    message: "This account has as many keys as its plan allows.",
    isFinal: true,
  },
  conflict: {
    status: 409,
    type: "invalid_request_error",
    message: "A request with this Idempotency-Key is still running.",
  },
  answer_not_kept: {
    status: 409,
    type: "invalid_request_error",
    message: "The first request with this Idempotency-Key was carried out, and its answer was not kept.",
    isFinal: true,
  },
  canceled: {
    status: 409,
    type: "invalid_request_error",
    message: "The run was canceled. Nothing was charged.",
    isFinal: true,
  },
  request_too_large: {
    status: 413,
    type: "invalid_request_error",
    message: "The request body is too large.",
  },
  unsupported_media_type: {
    status: 415,
    type: "invalid_request_error",
    message: "Send the body as uncompressed application/json.",
  },
  idempotency_key_reused: {
    status: 422,
    type: "invalid_request_error",
    message: "This Idempotency-Key was used with another body.",
  },
  rate_limit_exceeded: {
    status: 429,
    type: "rate_limit_error",
    message: "Too many requests in the last minute.",
  },
  concurrency_limit_exceeded: { status: 429, type: "rate_limit_error", message: "Too many calls at once." },
  headers_too_large: {
    status: 431,
    type: "invalid_request_error",
    message: "The request headers are too large.",
  },
  internal_error: {
    status: 500,
    type: "api_error",
    message: "Something went wrong on our side. Nothing was charged.",
  },
  upstream_error: {
    status: 502,
    type: "api_error",
    message: "The provider of this model could not be reached.",
  },
  run_failed: {
    status: 502,
    type: "api_error",
    message: "The provider took this run and could not do it. Nothing was charged.",
    isFinal: true,
  },
  outcome_unknown: {
    status: 502,
    type: "api_error",
    message:
      "Nobody knows whether this was done: it was begun, and its end was not seen. It was not begun again, and nothing was charged.",
    isFinal: true,
  },
  upstream_invalid_response: {
    status: 502,
    type: "api_error",
    message: "The provider of this model sent an answer that cannot be read.",
  },
  provider_not_configured: {
    status: 503,
    type: "api_error",
    message: "No provider of this model is configured.",
    isFinal: true,
  },
  upstream_unavailable: {
    status: 503,
    type: "api_error",
    message: "The providers of this model are not available right now.",
  },
  service_unavailable: {
    status: 503,
    type: "api_error",
    message: "A part of the service is not available right now.",
  },
  shutting_down: { status: 503, type: "api_error", message: "This server is shutting down." },
  upstream_timeout: {
    status: 504,
    type: "api_error",
    message: "The provider of this model did not answer in time.",
  },
} as const satisfies Record<string, Registered>;

type Registered = {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly isFinal?: true;
};

export type ProblemCode = keyof typeof problems;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}

export type ProblemDetails = {
  /** Public. Ours, never an upstream's or a user's text. */
  readonly message?: string;
  /** The field of the request that is at fault, as a path: `messages[2].content`. */
  readonly param?: string;
  /** Whole seconds; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Further public fields of the error object, such as `required_credits`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** For the log only. */
  readonly cause?: unknown;
};

/** A refusal or failure that the customer sees. Everything in it but `cause` is public. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly param: string | null;
  readonly retryAfterSeconds: number | undefined;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(details.message ?? problems[code].message, { cause: details.cause });
    this.name = "Problem";
    this.code = code;
    this.param = details.param ?? null;
    this.retryAfterSeconds =
      details.retryAfterSeconds ?? (this.status >= 502 && !this.isFinal ? 5 : undefined);
    this.extra = details.extra ?? {};
  }

  get status(): number {
    return problems[this.code].status;
  }

  /** The same again would do harm, or be in vain. */
  get isFinal(): boolean {
    return "isFinal" in problems[this.code];
  }

  /** The `error` object of every answer and of an in-stream error event. */
  toError(requestId: string): Record<string, unknown> {
    return {
      message: this.message,
      type: problems[this.code].type,
      code: this.code,
      param: this.param,
      request_id: requestId,
      ...this.extra,
    };
  }
}
