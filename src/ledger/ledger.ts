import type { Mode } from "../core/caller.ts";
import type { Credits } from "../core/credits.ts";
import type { Receipt } from "../core/receipt.ts";

/** Where credits lie. Per account and mode the six books always sum to zero. */
export const books = ["available", "held", "revenue", "loss", "grants", "payments"] as const;
export type Book = (typeof books)[number];

export type TransferKind = "grant" | "hold" | "settle" | "release";

export type HoldRequest = {
  readonly callId: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly mode: Mode;
  /** As asked, for the receipt that a crash may leave to us. */
  readonly model: string;
  /** The cost of the largest usage the call may reach. */
  readonly amount: Credits;
  /** The least that still buys a useful answer; when less than `amount` is available the hold takes what there is. */
  readonly minimum: Credits;
  /** Version of the catalog whose prices apply to the end of the call. */
  readonly catalogVersion: string;
};

/** `available` is the balance after the hold, or the balance that was too small. */
export type HoldAnswer = { readonly held: Credits | undefined; readonly available: Credits };

/** `charged` is never above the hold. `available` is the balance right after. */
export type Closed = { readonly charged: Credits; readonly available: Credits };

export type Balance = { readonly available: Credits; readonly held: Credits };
export type Balances = Readonly<Record<Mode, Balance>>;

export type Grant = {
  /** Stable: the same id again changes nothing and answers as the first time. */
  readonly id: string;
  readonly accountId: string;
  readonly mode: Mode;
  readonly amount: Credits;
  readonly reason: string;
};

/** One line of a transfer: `amount` moved into (or, negative, out of) `book`. */
export type TransferLine = {
  /** Counts from 1 without gaps per account and mode. */
  readonly sequence: number;
  readonly id: string;
  readonly callId: string | null;
  readonly kind: TransferKind;
  readonly amount: Credits;
  readonly book: Book;
  readonly at: Date;
};

export type TransferQuery = {
  readonly accountId: string;
  readonly mode: Mode;
  /** Lines with a greater sequence only. */
  readonly after: number;
  readonly limit: number;
};

export type Audit = {
  readonly ok: boolean;
  readonly books: number;
  readonly transfers: number;
  readonly openHolds: number;
  /** One sentence each; empty when ok. */
  readonly faults: readonly string[];
};

/**
 * Double entry over immutable transfers. Promises:
 * 1. No customer book is ever below zero, under any concurrency, on any number of nodes.
 * 2. A call holds at most once and is closed at most once; doing either again answers as the first time.
 * 3. What was answered is durable. An outcome that is unknown (connection lost) is resolved, never left on hold.
 */
export type Ledger = {
  hold(request: HoldRequest): Promise<HoldAnswer>;
  /**
   * Ends the call: charges `receipt.cost`, at most the hold (the rest is booked as loss), gives the rest back and
   * writes the receipt, in one commit. Keeps trying while the database is away.
   */
  close(receipt: Receipt): Promise<Closed>;
  /** Notes what the customer has received so far is worth; charged at most if this process dies. Written lazily. */
  delivered(callId: string, cost: Credits): void;
  grant(grant: Grant): Promise<Balances>;
  balances(accountId: string): Promise<Balances>;
  balancesOf(accountIds: readonly string[]): Promise<ReadonlyMap<string, Balances>>;
  transfers(
    query: TransferQuery,
  ): Promise<{ readonly lines: readonly TransferLine[]; readonly hasMore: boolean }>;
  audit(): Promise<Audit>;
  /** Closes what dead processes left open, charging delivered output at most. Returns how many. */
  recover(): Promise<number>;
  /** Writes what is waiting and stops. */
  stop(): Promise<void>;
};
