import type { ChatCall, ChatRequest } from "../core/chat.ts";
import type { Capabilities, ProviderQuirks } from "../core/model.ts";
import type { Problem } from "../core/problems.ts";
import type { Usage } from "../core/usage.ts";

/** Where and as what a call goes. No secret in here: translators never see one. */
export type Target = {
  readonly upstreamModel: string;
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  readonly maxOutput: number;
  /** Members of the request this provider takes; undefined is all that OpenAI's request knows. */
  readonly accepts: ReadonlySet<string> | undefined;
  readonly extraParameters: ReadonlySet<string>;
  readonly customTools?: boolean;
  readonly capabilities: Capabilities;
  readonly quirks: ProviderQuirks;
};

/** What to send. `path` is appended to the provider's base URL. */
export type WireRequest = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Members of the customer's request that were left out because nobody there understands them. */
  readonly dropped: readonly string[];
  /** Members that were sent with another value than the customer's, because that one is refused there. */
  readonly changed?: readonly string[];
};

/** How the answer is shown to the customer. */
export type AnswerView = {
  /** The model as asked; replaces the upstream's name. */
  readonly model: string;
  /** For answers whose wire has no OpenAI id or time: `chatcmpl-…` and seconds since 1970. */
  readonly id: string;
  readonly created: number;
  /** How many choices were asked for. */
  readonly choices: number;
};

/** Usage as the provider told it: `shown` is the OpenAI `usage` object without cost leaks, `meters` what is charged. */
export type ReportedUsage = { readonly shown: Readonly<Record<string, unknown>>; readonly meters: Usage };

/**
 * What an upstream's refusal or error event means for us. `rejected`: our customer's request is at fault.
 * `overloaded`: 429, 529, 503. `account`: our own credential, balance or permission there. `broken`: any other failure.
 */
export type UpstreamFault = {
  readonly kind: "rejected" | "overloaded" | "account" | "broken" | "unreadable";
  /** Request member at fault, only when it names a member of OpenAI's request. */
  readonly param?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Rejected because the prompt, or it and the output asked for, is longer than the model takes. */
  readonly isTooLong?: true;
  /** Rejected because the provider's rules on content forbid it. */
  readonly isContent?: true;
  /** Foreign text, at most 200 characters: for logs, never for customers. */
  readonly detail: string;
};

export type WholeAnswer = {
  /** Those of an OpenAI `chat.completion` object but for `usage`, as JSON text without braces: ours follow. */
  readonly members: string;
  readonly usage: ReportedUsage | undefined;
  /** False when there is no text, shown thinking, tool call, refusal or audio in any choice. */
  readonly hasOutput: boolean;
  /** A choice ended because it had come to its output limit. */
  readonly ranOut: boolean;
  /** All output as text, for counting when the provider reported no usage. */
  readonly outputText: () => string;
};

/**
 * One stream being translated to OpenAI frames. Fed the upstream's bytes in any cuts; the same bytes in other cuts give
 * the same frames. The frames with a finish reason are kept back for `closing`, unless more content follows them:
 * the end of an answer is shown only after it is paid.
 */
export type StreamTranslation = {
  /** How the returned strings become bytes: `latin1` strings carry one byte per character. */
  readonly encoding: "latin1" | "utf8";
  /** Complete SSE frames ready for the customer, "" when none. After a fault or the terminal event: "". */
  push(bytes: Buffer): string;
  /** Call once when the upstream closed its stream; may complete a last frame that lacked its blank line. */
  end(): string;
  /**
   * The kept finish frames (OpenAI frames with finish_reason, no usage frame, no [DONE]). Output that they hold counts as
   * given out from here on.
   */
  closing(): string;
  /**
   * True when a finish reason for every choice, or the wire's terminal event, was seen. After `end` those choices are
   * enough that were begun.
   */
  readonly complete: boolean;
  /** True when the wire's terminal event was seen: nothing that follows is read. */
  readonly terminated: boolean;
  readonly fault: UpstreamFault | undefined;
  readonly usage: ReportedUsage | undefined;
  /** The input meters as far as the wire told them before the output was complete: for aborted streams. */
  readonly promptUsage?: Usage | undefined;
  /** Of what was given out. */
  readonly hasOutput: boolean;
  /** A choice ended because it had come to its output limit. */
  readonly ranOut: boolean;
  /**
   * The output given out so far as text, for counting: aborted streams and providers that report no usage. Of a very long
   * one its beginning.
   */
  outputText(): string;
  /** How many characters all of it has; costs nothing. */
  readonly outputLength: number;
};

/** One wire protocol. Translates only: no fetch, clock, log, retry or secret inside. */
export type ChatWire = {
  /** Why this provider would answer something else than was asked for: it is not asked then, nor fallen back to. */
  refusalOf(request: ChatRequest, target: Target): Problem | undefined;
  /** Throws `Problem` (400, naming the member) for what this wire cannot carry. */
  request(call: ChatCall, target: Target): WireRequest;
  /** Throws `UnreadableAnswer`. */
  whole(bytes: Buffer, view: AnswerView, target: Target): WholeAnswer;
  stream(view: AnswerView, target: Target): StreamTranslation;
  /** Reads an answer whose status is not 2xx. Never throws, whatever the bytes. */
  fault(status: number, headers: UpstreamHeaders, bytes: Buffer): UpstreamFault;
};

export type UpstreamHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A 2xx answer that is not what the wire promises. */
export class UnreadableAnswer extends Error {
  readonly fault: UpstreamFault;
  constructor(fault: UpstreamFault) {
    super(fault.detail);
    this.fault = fault;
  }
}
