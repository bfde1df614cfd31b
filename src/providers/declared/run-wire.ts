import type { HttpMethod, RunFaultKind } from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { Usage } from "../../core/usage.ts";
import type { UpstreamHeaders } from "../wire.ts";

/** What a run's translator knows of it before anything is asked. */
export type RunContext = {
  /** Checked against the endpoint's schema, defaults filled in. */
  readonly inputs: JsonObject;
  /** The provider's settings of this server, such as the sender of e-mails. */
  readonly env: Readonly<Record<string, string>>;
  readonly run: {
    /** Stable over every attempt: what a provider takes as an idempotency key. */
    readonly id: string;
    /** Where the provider may call when it is done; undefined when nobody outside can reach us. */
    readonly webhookUrl: string | undefined;
  };
};

/** One question to the provider, without credential. */
export type RunAsk = {
  readonly method: HttpMethod;
  /** `path` lies below the provider's base address; `url` was named by an answer and is trusted by nobody yet. */
  readonly target: { readonly path: string } | { readonly url: string };
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

export type RunAnswer = {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly bytes: Buffer;
};

/**
 * What the answers said so far: plain JSON that is kept in the database, so that another process can go on. `phase` is
 * the question that is open.
 */
export type RunMemory = {
  readonly phase: "submit" | "poll" | "fetch";
  /** Of the first answer what expressions will still read; nothing else of any answer is kept either. */
  readonly submit?: unknown;
  /** The answer that ended the work. Missing when that was the first one. */
  readonly poll?: unknown;
  /** Headers and status of the answer that ended the work. */
  readonly headers?: JsonObject;
  readonly status?: number;
  /** How often it was asked whether it is done. */
  readonly polls?: number;
  /** Which of the fetches is open, the answers of those before it by name, and how many pages of it are there. */
  readonly fetch?: number;
  readonly fetched?: JsonObject;
  readonly pages?: number;
  /** Where the open page is, as the page before told it: an address, a path or a cursor. */
  readonly next?: string;
  /** How often the open fetch was asked in vain. */
  readonly tries?: number;
};

/** A file within an output, where the provider has it or as it came. Stored by us before anybody sees the output. */
export type FileMark = {
  readonly $file:
    | { readonly url: string; readonly name?: string }
    | { readonly base64: string; readonly mime?: string; readonly name?: string };
};

export type RunFault = {
  readonly kind: RunFaultKind;
  readonly status: number;
  /** The provider's own words, cut short: for the log, never for the customer. */
  readonly detail: string;
  /** The provider's machine-readable code where it has one. */
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;
};

export type RunStep =
  | {
      readonly state: "ask";
      readonly ask: RunAsk;
      readonly afterMs: number;
      readonly memory: RunMemory;
      /** 0 to 1 where the provider tells. */
      readonly progress: number | undefined;
    }
  | {
      readonly state: "done";
      /** May hold `FileMark`s anywhere. */
      readonly output: JsonObject;
      readonly usage: Usage;
      /** True when a quantity was not told and the reserved one stands for it. */
      readonly estimated: boolean;
      /** Nothing was found or made: written down, not charged. */
      readonly isEmpty: boolean;
    }
  | { readonly state: "failed"; readonly fault: RunFault };

/**
 * One endpoint's translator: translates only, without fetch, clock, log or secret. Beginning a run is the first asking;
 * providers that answer at once and providers that are asked again are the same code.
 */
export type RunWire = {
  /** Its usage follows from the content of the answer: it is not known before the whole of that is there. */
  readonly isMeteredByContent: boolean;
  /** The largest usage that these inputs may reach. Throws `Problem` (400) for inputs that it cannot size. */
  reserve(context: RunContext): Usage;
  /** Throws `Problem` (400, naming the member) for inputs that cannot be sent. */
  begin(context: RunContext): { readonly ask: RunAsk; readonly memory: RunMemory };
  /** Reads the answer to the open question. Never throws, whatever the bytes. */
  read(context: RunContext, memory: RunMemory, answer: RunAnswer): RunStep;
  /** The question that is open, again: after a restart, or when the connection broke. Undefined for a submission. */
  again(context: RunContext, memory: RunMemory): RunAsk | undefined;
  /** How to call the work off, where the provider can. */
  cancel(context: RunContext, memory: RunMemory): RunAsk | undefined;
};
