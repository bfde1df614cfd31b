import type { Credits } from "../../core/credits.ts";

/** The right to answer a request that came with an Idempotency-Key. */
export type Claim = {
  /** Who asks, and where. */
  readonly scope: string;
  readonly key: string;
  readonly requestId: string;
};

export type ClaimWish = Claim & {
  /** The call that the request makes, if it makes one. A run that it begins has the same digits. */
  readonly callId: string;
  /** Of all that is known of the request when it claims its key. */
  readonly bodyHash: Buffer;
};

export type KeptAnswer = {
  readonly status: number;
  /** Only those that belong to the answer, not to the request that it was first given to. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: too large or too secret to keep. */
  readonly body: Buffer | undefined;
  /** What the request brought, where that was known only when it had been read: whoever asks again compares. */
  readonly contentHash?: Buffer;
};

export type Claimed =
  | { readonly state: "claimed"; readonly claim: Claim }
  /** An earlier request began this run and never answered; the run is over. Answer from it and begin nothing. */
  | { readonly state: "begun"; readonly claim: Claim; readonly runId: string }
  /** A process is at it, or what it began is not over. */
  | { readonly state: "running" }
  | { readonly state: "answered"; readonly callId: string; readonly answer: KeptAnswer }
  /** The call was charged, and the process that had the answer is gone. */
  | { readonly state: "charged"; readonly callId: string; readonly cost: Credits }
  | { readonly state: "reused" };

/**
 * The answers to requests with an Idempotency-Key, kept for a day. Of all requests with the same scope and key one at a
 * time has the claim, and whoever has it may do what was asked.
 *
 * A claim outlives its process only where something was charged, is held or runs. The one hole: a process that stands
 * still for longer than `goneAfterMs` between its claim and its hold, and then goes on.
 */
export type KeptAnswers = {
  /** Throws `service_unavailable` while the database is away. */
  claim(wish: ClaimWish): Promise<Claimed>;
  /**
   * Gives the claim's answer, or none: then the key is free again unless something was charged or may yet be. Never
   * rejects: while the database is away the end is remembered and written later.
   */
  end(claim: Claim, answer: KeptAnswer | undefined): Promise<void>;
  /** Forgets what is older than a day, at most some hundreds at a time; says how many. A timer does the same. */
  sweep(): Promise<number>;
  /** Writes what could not be written so far, once more. */
  stop(): Promise<void>;
};
