import { setTimeout as pause } from "node:timers/promises";
import { driveRun } from "./drive-run.ts";
import { giveUp } from "./settle-run.ts";
import { servedOffers } from "./driven-run.ts";
import type { DrivenRun } from "./driven-run.ts";
import type { RunHouse } from "./run-house.ts";
import { leaseMs } from "./run-store.ts";
import type { Hold, RunRow, RunState, SeenRun } from "./run-store.ts";

const renewEveryMs = leaseMs / 3;
const lookEveryMs = 2_000;
const mostClaimed = 50;
/** How long a stop waits for submissions that are under way. */
const longestSubmissionMs = 10_000;

type Kept = {
  readonly run: DrivenRun;
  readonly stop: AbortController;
  /** The submission is over and written down. */
  readonly taken: Promise<void>;
  readonly over: Promise<void>;
  wake: () => void;
  /** Whoever took the run away is done with it. */
  ended: Promise<unknown> | undefined;
};

export type Start = Pick<DrivenRun, "row" | "model" | "offers" | "mayFallBack" | "live" | "orders">;

/**
 * Drives the runs of this process, keeps their leases, and takes over those whose process died. A run lasts longer than
 * any request: whoever waits for it asks here.
 */
export class RunKeeper {
  readonly #house: RunHouse;
  readonly #kept = new Map<string, Kept>();
  readonly #timers: NodeJS.Timeout[] = [];
  #isStopping = false;
  /** By the monotonic clock; undefined while the database does not answer. At a start nobody drives our runs. */
  #inTouchSince: number | undefined = -Infinity;
  #looking: Promise<void> = Promise.resolve();

  constructor(house: RunHouse) {
    this.#house = house;
  }

  /** Begins to look for runs that nobody drives. `deadNodes`: processes known to be dead; undefined: all others. */
  async start(deadNodes: readonly string[] | undefined): Promise<void> {
    await this.#house.store.abandon(deadNodes);
    await this.#look();
    this.#timers.push(
      setInterval(() => void this.#renew(), renewEveryMs).unref(),
      setInterval(() => {
        this.#looking = this.#look();
      }, lookEveryMs).unref(),
    );
  }

  /** Resolves when the run is over, or no longer driven here. */
  drive(start: Start): Promise<void> {
    const stop = new AbortController();
    let wake: () => void = () => undefined;
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stop.signal.aborted) wake();
      });
    const taken = Promise.withResolvers<void>();
    const run: DrivenRun = { ...start, made: [], stopped: stop.signal, wait, taken: taken.resolve };
    const { id } = start.row;
    const over = driveRun(run, this.#house)
      .catch((error: unknown) => {
        // The lease runs out, and somebody goes on from what was written down last.
        this.#house.log.error({ run_id: id, err: error }, "a run could not be driven on");
      })
      .then(() => {
        taken.resolve();
        return kept.ended;
      })
      .then(() => {
        if (this.#kept.get(id) === kept) this.#kept.delete(id);
      });
    const kept: Kept = { run, stop, over, taken: taken.promise, wake: () => wake(), ended: undefined };
    // Whoever drove it here has lost it to the claim of this one.
    this.#end(id);
    this.#kept.set(id, kept);
    return over;
  }

  /** Resolves when the run is over or no longer driven here; at once when it never was. */
  async whenOver(id: string): Promise<void> {
    await this.#kept.get(id)?.over;
  }

  /**
   * Takes the run from whoever drives it, ends that driving here, and lets `end` end the run, which whoever waits for it
   * here waits for as well.
   */
  async takeOver(
    id: string,
    states: readonly RunState[],
    end: (row: RunRow) => Promise<SeenRun>,
  ): Promise<SeenRun | undefined> {
    const row = await this.#house.store.takeOver(id, states);
    if (row === undefined) return undefined;
    const ended = end(row);
    const kept = this.#kept.get(id);
    if (kept !== undefined) kept.ended = ended.catch(() => undefined);
    this.#end(id);
    return ended;
  }

  /** Somebody knows that there is news of a run: it is asked about now, here. */
  async hurry(id: string): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept !== undefined) {
      kept.wake();
      return;
    }
    const row = await this.#house.store.takeOver(id, ["waiting"]);
    if (row !== undefined) this.#resume(row);
  }

  /**
   * Gives the runs back: another process, or the next start, goes on. What is being submitted may end first, because
   * nobody could go on from there.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#looking;
    const taken = Promise.all(Array.from(this.#kept.values(), (kept) => kept.taken));
    await Promise.race([taken, pause(longestSubmissionMs, undefined, { ref: false })]);
    const holds = this.#holds();
    const overs = [...this.#kept.values()].map(({ over }) => over);
    for (const { id } of holds) this.#end(id);
    await Promise.all(overs);
    try {
      await this.#house.store.letGo(holds);
    } catch (error) {
      // The leases run out by themselves, and the other parts have to be stopped all the same.
      this.#house.log.warn({ err: error }, "runs could not be given back");
    }
  }

  #holds(): readonly Hold[] {
    return Array.from(this.#kept.values(), ({ run }) => ({ id: run.row.id, claim: run.row.claim }));
  }

  #end(id: string): void {
    const kept = this.#kept.get(id);
    kept?.stop.abort();
    kept?.wake();
  }

  async #renew(): Promise<void> {
    try {
      await this.#renewAll();
    } catch (error) {
      this.#house.log.warn({ err: error }, "the leases of runs could not be renewed");
    }
  }

  /** What another node has taken is let go of here: nobody asks its provider twice, or works on what was called off. */
  async #renewAll(): Promise<void> {
    const asked = [...this.#kept];
    const held = await this.#house.store.renew(this.#holds());
    for (const [id, kept] of asked) if (!held.has(id) && this.#kept.get(id) === kept) this.#end(id);
  }

  /** While the database was away all leases ran out, ours and those of nodes that live: they are renewed first. */
  async #look(): Promise<void> {
    if (this.#isStopping) return;
    const { store, log, clock } = this.#house;
    try {
      if (this.#inTouchSince === undefined) {
        await this.#renewAll();
        this.#inTouchSince = clock.monotonic();
      }
      if (clock.monotonic() - this.#inTouchSince < renewEveryMs) return;
      const abandoned = await store.claimAbandoned(mostClaimed, this.#holds());
      for (const row of abandoned) this.#resume(row);
    } catch (error) {
      this.#inTouchSince = undefined;
      log.warn({ err: error }, "abandoned runs could not be looked for");
    }
  }

  #resume(row: RunRow): void {
    const found = this.#house.catalog.find(row.model_id);
    if (found?.model.kind !== "run") {
      this.#house.log.error({ run_id: row.id, model: row.model_id }, "the model of a run is gone");
      giveUp(row, this.#house).catch((error: unknown) => {
        this.#house.log.error({ run_id: row.id, err: error }, "a run could not be given up");
      });
      return;
    }
    const { model } = found;
    void this.drive({ row, model, offers: servedOffers(model, row.mode, this.#house), mayFallBack: false });
  }
}
