import type { Log } from "../../core/log.ts";
import { cannotWriteNow } from "../../ledger/ledger-statements.ts";
import type { Claim, KeptAnswer } from "./kept-answers.ts";

type Write = (claim: Claim, answer: KeptAnswer | undefined) => Promise<void>;

const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** Further ones are remembered without their answers. */
const mostBodies = 32;
const mostOpen = 10_000;

/**
 * Writes the ends of claims. While the database cannot write they are remembered and tried again, oldest first. What is
 * lost with this process does no harm: its claims are then decided by receipts and runs.
 */
export class OpenEnds {
  readonly #write: Write;
  readonly #log: Log;
  readonly #open = new Map<Claim, KeptAnswer | undefined>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #isStopped = false;

  constructor(write: Write, log: Log) {
    this.#write = write;
    this.#log = log;
  }

  /** Writes now, or remembers. Never rejects. */
  async write(claim: Claim, answer: KeptAnswer | undefined): Promise<void> {
    const written = this.#isWritten(claim, answer).then((isWritten) => {
      if (!isWritten) this.add(claim, answer);
    });
    this.#running.add(written);
    await written;
    this.#running.delete(written);
  }

  /** To be written later. */
  add(claim: Claim, answer: KeptAnswer | undefined): void {
    if (this.#open.size >= mostOpen) {
      this.#log.error(
        { request_id: claim.requestId },
        "an Idempotency-Key stays taken: too many wait to be freed",
      );
      return;
    }
    const isKept = answer === undefined || this.#open.size < mostBodies;
    this.#open.set(claim, isKept ? answer : { ...answer, body: undefined });
    this.#wait();
  }

  /** Waits for what is being written, and tries the rest once more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
    await this.#writeOpen();
  }

  #wait(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      void this.#writeOpen().then(() => {
        this.#timer = undefined;
        if (this.#open.size > 0) this.#wait();
      });
    }, this.#pauseMs).unref();
  }

  /** Ends with the first that cannot be written: the others could not either. */
  async #writeOpen(): Promise<void> {
    for (const [claim, answer] of this.#open) {
      if (!(await this.#isWritten(claim, answer))) {
        this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
        return;
      }
      this.#open.delete(claim);
      this.#pauseMs = firstPauseMs;
    }
  }

  /** False when it is to be tried again. */
  async #isWritten(claim: Claim, answer: KeptAnswer | undefined): Promise<boolean> {
    try {
      await this.#write(claim, answer);
      return true;
    } catch (error) {
      const isPassing = cannotWriteNow(error);
      const fields = { request_id: claim.requestId, err: error };
      if (isPassing) this.#log.warn(fields, "an answer is kept later: the database cannot write it now");
      else this.#log.error(fields, "an answer could not be kept");
      return !isPassing;
    }
  }
}
