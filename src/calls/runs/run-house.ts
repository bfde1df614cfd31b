import type { Catalog } from "../../catalog/catalog.ts";
import type { Mode } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { RunOffer } from "../../core/model.ts";
import type { Egress } from "../../egress/egress.ts";
import type { Engine } from "../../engines/engine.ts";
import type { Files } from "../../files/files.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Limiter } from "../../limits/limits.ts";
import type { RunWire } from "../../providers/declared/run-wire.ts";
import type { TrustedHosts } from "../../providers/trusted-addresses.ts";
import type { Connection, Upstream } from "../../providers/upstream.ts";
import type { Health } from "../../routing/health.ts";
import type { OpenCalls } from "../open-calls.ts";
import type { Inlines } from "./inline-files.ts";
import type { RunStore } from "./run-store.ts";

/** An offer joined to what does its work: a provider's endpoint with its address, or an engine of ours. */
export type RunLine =
  | {
      readonly wire: RunWire;
      readonly connection: Connection;
      /** Carried by every request. */
      readonly headers: Readonly<Record<string, string>>;
      readonly trustedHosts: TrustedHosts;
      readonly env: Readonly<Record<string, string>>;
      readonly inlines: Inlines;
      /** Asking twice does no harm. */
      readonly isRepeatable: boolean;
      /** Below this the provider is asked at its own pace, above it once a minute. */
      readonly patienceMs: number;
      /** The engine of ours that is played there, in test mode. */
      readonly plays?: string;
    }
  | { readonly engine: Engine };

/** The parts that a run needs, made once by the composition root. */
export type RunHouse = {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly limiter: Limiter;
  readonly store: RunStore;
  readonly health: Readonly<Record<Mode, Health>>;
  readonly upstream: Upstream;
  readonly egress: Egress;
  readonly files: Files;
  readonly openCalls: OpenCalls;
  readonly clock: Clock;
  readonly log: Log;
  readonly creditUsd: string;
  /** Where a provider can call when a run is done; undefined when nobody outside can reach us. */
  newsUrlOf(runId: string): string | undefined;
  /** There is a message to a customer's server in the outbox. */
  messageIsWaiting(): void;
  /** How long an answer is waited for before it becomes a job, unless the request says otherwise. */
  readonly waitMs: number;
  /**
   * Undefined when the provider is not configured; in test mode, when it has no emulator. Test mode always goes to the
   * sandbox, live mode never.
   */
  lineTo(offer: RunOffer, mode: Mode): RunLine | undefined;
  /** What would make the offer work: a variable to set, a program to install. */
  remedyFor(offer: RunOffer): string;
};
