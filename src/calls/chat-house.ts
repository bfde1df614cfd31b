import type { Catalog } from "../catalog/catalog.ts";
import type { Mode } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import type { SharedReads } from "../core/shared-reads.ts";
import type { Balances, Ledger } from "../ledger/ledger.ts";
import type { Limiter } from "../limits/limits.ts";
import type { Connection, Upstream } from "../providers/upstream.ts";
import type { ChatWire, Target } from "../providers/wire.ts";
import type { Health } from "../routing/health.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { Patience } from "./patience.ts";
import type { TokenCounter } from "./token-counter.ts";

/** An offer joined to the code that speaks its wire, its address and its credential. */
export type Line = { readonly wire: ChatWire; readonly connection: Connection; readonly target: Target };

/** The parts that a chat call needs, made once by the composition root. */
export type ChatHouse = {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  /** By account, and up to a second old: a flood of calls over their limit costs one look at a balance. */
  readonly recentBalances: SharedReads<Balances>;
  readonly limiter: Limiter;
  /** What test calls order the sandbox to do says nothing about the providers that serve live calls. */
  readonly health: Readonly<Record<Mode, Health>>;
  readonly upstream: Upstream;
  readonly tokens: TokenCounter;
  readonly openCalls: OpenCalls;
  readonly clock: Clock;
  readonly log: Log;
  readonly creditUsd: string;
  readonly keepAliveMs: number;
  readonly patience: Patience;
  /** How long a client may refuse to read before it counts as gone. */
  readonly stalledClientMs: number;
  /** Undefined when the provider is not configured. Test mode always goes to the sandbox, live mode never. */
  lineTo(offer: Offer, model: ChatModel, mode: Mode): Line | undefined;
  /** The environment variable that would configure the provider. */
  variableFor(offer: Offer): string;
};
