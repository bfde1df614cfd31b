/**
 * An endpoint for runs as data: how one provider is asked, read and metered. The catalog checks it, `providers` compiles
 * it once. Expressions are JSON: a string that begins with `$.` is a path into the scope; an object with a single member
 * that begins with `$` is an operator; everything else stands for itself. Members whose value is missing or null are left
 * out. What a customer sent is never evaluated.
 */
export type Expression =
  | string
  | number
  | boolean
  | null
  | readonly Expression[]
  | { readonly [member: string]: Expression };

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Where an endpoint is asked. `{inputs.voice_id}` in a path is replaced by that value, percent-encoded. */
export type EndpointRequest = {
  readonly method: HttpMethod;
  readonly path: string;
  /** `raw`: a body that is an upload is sent as its bytes, with its media type; every other one as JSON. */
  readonly encoding: "json" | "form" | "multipart" | "raw" | "none";
  readonly query: Readonly<Record<string, Expression>>;
  readonly headers: Readonly<Record<string, Expression>>;
  readonly body: Expression;
};

/** A later question: at an address that an answer named (`url`), or below the provider's own (`path`). */
export type EndpointQuestion = {
  readonly method: HttpMethod;
  readonly url: Expression | undefined;
  readonly path: string | undefined;
  readonly query: Readonly<Record<string, Expression>>;
};

/**
 * What a provider's refusal means. `rejected`: the inputs are at fault. `content`: what they ask for is what the provider
 * does not make. `credential`: the operator's account is refused
 * or empty. `busy`: rate or load, nothing was begun. `unavailable`: the provider failed. `failed`: it took the work and
 * could not do it. `unreadable`: not what its documentation promises.
 */
export type RunFaultKind =
  | "rejected"
  | "content"
  | "credential"
  | "busy"
  | "unavailable"
  | "failed"
  | "unreadable";

/** When an answer is a refusal although its status is 2xx, and where a refusal says what is wrong. */
export type EndpointErrors = {
  readonly when: Expression | undefined;
  readonly message: Expression | undefined;
  readonly code: Expression | undefined;
  /** What single codes mean, or groups of them (`SAFETY.*`), where the status alone would mislead. */
  readonly codes: Readonly<Record<string, RunFaultKind>>;
  /** What a refusal of the inputs or of the work means whose message has these words in it, in whatever case. */
  readonly words: Readonly<Record<string, RunFaultKind>>;
};

/** The provider works on it: it is asked again until it says that it is done. */
export type EndpointPolling = {
  /** True: the first answer was the last one already. */
  readonly skipWhen: Expression | undefined;
  readonly poll: EndpointQuestion;
  readonly status: Expression;
  readonly done: readonly string[];
  readonly failed: readonly string[];
  readonly message: Expression | undefined;
  /** 0 to 1. */
  readonly progress: Expression | undefined;
  readonly intervalMs: number;
  /** Each wait is this many times the last one, up to `maxIntervalMs`. */
  readonly backoff: number;
  readonly maxIntervalMs: number;
  /** Given up after this long: the run has failed and costs nothing. */
  readonly maxMs: number;
  readonly cancel: EndpointQuestion | undefined;
  /**
   * The member of the body, or of the query, in which the provider takes an address to call when it is done. The address
   * is secret and says which run it is about; what is sent there is not believed, the provider is asked.
   */
  readonly webhook: { readonly in: "body" | "query"; readonly parameter: string } | undefined;
};

/** What is fetched once the provider is done. With `items` and `next` it is fetched page after page. */
export type EndpointFetch = EndpointQuestion & {
  readonly when: Expression | undefined;
  /** The name of the answer in the scope. */
  readonly as: string;
  readonly pages:
    | { readonly next: Expression; readonly items: Expression; readonly maxPages: number }
    | undefined;
};

export type EndpointMeter = {
  readonly meter: string;
  /** The largest quantity that these inputs may reach: over `inputs` and `env` alone. */
  readonly reserve: Expression;
  /** What it was in the end; the reserved quantity where it has no value. */
  readonly quantity: Expression | undefined;
};

export type Endpoint = {
  readonly request: EndpointRequest;
  /**
   * Inputs that may name a file by its address although the provider wants its bytes: what lies there is sent as a data
   * URL, if it is of one of these media types.
   */
  readonly inline: Readonly<Record<string, readonly string[]>>;
  /** Asking twice does no harm and costs nobody anything: a search, not an e-mail. */
  readonly repeatable: boolean;
  readonly errors: EndpointErrors;
  readonly polling: EndpointPolling | undefined;
  readonly fetches: readonly EndpointFetch[];
  /** The public result. A member `{"$file": …}` is stored here and shown as an address of ours. */
  readonly output: Expression;
  /** True: nothing was found or made; costs nothing. */
  readonly emptyWhen: Expression | undefined;
  readonly meters: readonly EndpointMeter[];
};
