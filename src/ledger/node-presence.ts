import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database } from "../storage/database.ts";
import { answerOf, runAgain } from "./ledger-statements.ts";

/** Node ids known to be dead; `all-others` where only one process can have the database open. */
export type DeadNodes = readonly string[] | "all-others";

export type NodePresenceOptions = {
  readonly database: Database;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadAfterMs: number;
  readonly deadNodes: DeadNodes;
};

const beatEveryMs = 2000;
const sweepEveryMs = 3000;
/** How long a call waits to learn whether the database is back before it is refused. The first beat may take its time. */
const maxDoubtMs = 1000;

const beat = {
  name: "ledger_beat",
  text: `insert into nodes (id, seen_at) values ($1, clock_timestamp())
    on conflict (id) do update set seen_at = excluded.seen_at`,
};
const leave = { name: "ledger_leave", text: "delete from nodes where id = $1" };
const recover = { name: "ledger_recover", text: "select recover_calls($1, $2, $3) as answer" };
const forget = {
  name: "ledger_forget",
  text: `delete from nodes n where n.seen_at < clock_timestamp() - interval '1 hour'
    and not exists (select from holds h where h.node_id = n.id)`,
};

/**
 * Shows the other nodes that this one lives, and closes the calls of nodes that do not. Holds are only taken while the
 * others can see us, so nobody recovers a call that runs here.
 */
export class NodePresence {
  readonly #options: NodePresenceOptions;
  readonly #timers: readonly NodeJS.Timeout[];
  /** By the monotonic clock; undefined while the database is, or may be, out of reach. */
  #seenAt: number | undefined;
  #wasSeen = false;
  #inTouchSince = 0;
  #beating: Promise<boolean> | undefined;
  #sweeping = false;

  constructor(options: NodePresenceOptions) {
    this.#options = options;
    const alone = options.deadNodes === "all-others";
    this.#timers = alone
      ? []
      : [
          setInterval(() => void this.#beat(), beatEveryMs).unref(),
          setInterval(() => void this.#sweep(), sweepEveryMs).unref(),
        ];
  }

  /** Whether the other nodes have seen us lately enough to leave our holds alone for a while. */
  get visible(): boolean {
    const { clock, deadAfterMs, deadNodes } = this.#options;
    if (this.#seenAt === undefined) return false;
    return deadNodes === "all-others" || clock.monotonic() - this.#seenAt < deadAfterMs / 2;
  }

  /** Makes us visible if the database answers soon; while it does not, calls are refused without being sent. */
  async becomeVisible(): Promise<boolean> {
    if (!this.#wasSeen) return this.#beat();
    const { promise: doubt, resolve: giveUp } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => giveUp(false), maxDoubtMs);
    try {
      return await Promise.race([this.#beat(), doubt]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A statement found the database away: nothing more is sent before a beat came through. */
  lost(): void {
    this.#seenAt = undefined;
  }

  async recover(): Promise<number> {
    const { database, nodeId, clock, log, deadAfterMs, deadNodes } = this.#options;
    if (!(await this.#beat())) throw new DatabaseUnavailable(undefined);
    // After an outage nobody has been seen for a while; half the limit gives every living node time for a beat.
    const inTouch = clock.monotonic() - this.#inTouchSince >= deadAfterMs / 2;
    const dead = deadNodes === "all-others" ? null : JSON.stringify(deadNodes);
    let closed = 0;
    for (;;) {
      const rows = await runAgain(database, recover, [nodeId, dead, inTouch ? deadAfterMs : null]);
      const [found, closedHere] = answerOf(rows).map(Number);
      closed += closedHere ?? 0;
      if (found === 0) break;
    }
    await runAgain(database, forget, []);
    if (closed > 0) log.warn({ calls: closed }, "closed calls that dead processes had left open");
    return closed;
  }

  /** Ends the beats. What we may still hold can be recovered by others at once. */
  async leave(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#beating;
    await runAgain(this.#options.database, leave, [this.#options.nodeId]);
  }

  #beat(): Promise<boolean> {
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  async #beatOnce(): Promise<boolean> {
    const { database, nodeId, clock, log, deadAfterMs } = this.#options;
    try {
      await runAgain(database, beat, [nodeId]);
    } catch (error) {
      this.lost();
      log.warn({ err: error }, "the database does not answer this node's beat");
      return false;
    }
    const now = clock.monotonic();
    const missed = this.#seenAt === undefined || now - this.#seenAt >= deadAfterMs;
    if (missed) this.#inTouchSince = now;
    this.#seenAt = now;
    this.#wasSeen = true;
    return true;
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      await this.recover();
    } catch (error) {
      this.#options.log.warn({ err: error }, "could not look for calls of dead processes");
    } finally {
      this.#sweeping = false;
    }
  }
}
