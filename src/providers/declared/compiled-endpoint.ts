import type { CompiledFetch } from "./compile-fetches.ts";
import type { CompiledMeter } from "./compile-meters.ts";
import type { CompiledPolling } from "./compile-polling.ts";
import type { Parts } from "./kept-parts.ts";
import type { Evaluate, Scope } from "./place.ts";
import type { CompiledErrors } from "./refusal.ts";
import type { RunAsk } from "./run-wire.ts";

/** An endpoint as functions. */
export type CompiledEndpoint = {
  readonly submission: (scope: Scope, webhookUrl: string | undefined) => RunAsk;
  readonly errors: CompiledErrors;
  readonly polling: CompiledPolling | undefined;
  readonly fetches: readonly CompiledFetch[];
  readonly output: Evaluate;
  readonly emptyWhen: Evaluate;
  readonly meters: readonly CompiledMeter[];
  readonly keeps: Keeps;
};

/** What is kept of the answers, because somebody will read it. */
export type Keeps = {
  readonly submit: Parts;
  /** Of the answer that ends the work. */
  readonly end: Parts;
  readonly headers: Parts;
  readonly status: boolean;
  readonly fetched: ReadonlyMap<string, Parts>;
};
