import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { Mode } from "../../core/caller.ts";
import type { Database } from "../../storage/database.ts";
import type { Tables } from "../../storage/tables.ts";

export type DeliveryRow = Selectable<Tables["deliveries"]>;
export type DeliveryState = DeliveryRow["state"];

/** A message whose time has come, as far as one has to know it to choose. */
export type DueDelivery = { readonly id: string; readonly accountId: string; readonly receiver: string };

/** A message and the right to try it. */
export type ClaimedDelivery = {
  readonly id: string;
  readonly accountId: string;
  readonly mode: Mode;
  readonly runId: string;
  readonly url: string;
  readonly body: string;
  /** Failed tries so far. */
  readonly tries: number;
  readonly firstTriedAt: Date | null;
  readonly leaseUntil: Date;
};

export type TryOutcome = {
  readonly state: DeliveryState;
  readonly status: number | null;
  readonly fault: string | null;
  readonly triedAt: Date;
  /** When the answer was there. */
  readonly at: Date;
  readonly nextAt: Date;
};

/** What is not to be looked for: it is being tried here, or has as many tries at once as it may. */
export type NotNow = {
  readonly ids: readonly string[];
  readonly receivers: readonly string[];
  readonly accountIds: readonly string[];
};

/** A message that was just written bears the database's time, which may be ahead of this machine's by so much. */
const clockSkewMs = 2 * 60_000;

/** So many are looked at of what one account has for one receiver. */
const mostOfQueue = 20;

/**
 * The outbox as the workers of all nodes see it. Times are the caller's, not the database's: the same clock that says
 * when a try ended says when the next is due. Clocks of several nodes may differ by less than a lease is longer than a
 * try; beyond that a receiver may get a message twice at once, which it has to bear anyway.
 */
export class DeliveryQueue {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Messages to be tried now: of each account first the one that waits longest, then the next of each. Goes from one
   * account's queue for a receiver to the next by the index: the cost is that of the queues, however long they are.
   */
  async due(
    now: Date,
    limit: number,
    { ids, receivers, accountIds }: NotNow,
  ): Promise<readonly DueDelivery[]> {
    const { rows } = await sql<{
      readonly id: string;
      readonly account_id: string;
      readonly receiver: string;
    }>`
      with recursive waiting (receiver, account_id) as (
        (select receiver, account_id from deliveries where state = 'waiting' order by receiver, account_id limit 1)
        union all
        select d.receiver, d.account_id from waiting w cross join lateral (
          select receiver, account_id from deliveries
          where state = 'waiting' and (receiver, account_id) > (w.receiver, w.account_id)
          order by receiver, account_id limit 1
        ) d
      )
      select d.id, w.account_id, w.receiver from waiting w cross join lateral (
        select id, next_at from deliveries
        where receiver = w.receiver and account_id = w.account_id and ${isDue(now)}
        order by next_at limit ${mostOfQueue}
      ) d
      where w.receiver <> all(${receivers}::text[])
        and d.id <> all(${ids}::text[]) and w.account_id <> all(${accountIds}::text[])
      order by row_number() over (partition by w.account_id order by d.next_at, d.id), d.next_at, d.id
      limit ${limit}`.execute(this.#database.kysely);
    return rows.map((row) => ({ id: row.id, accountId: row.account_id, receiver: row.receiver }));
  }

  /** Takes those of them that nobody else has taken meanwhile. */
  async claim(ids: readonly string[], now: Date, leaseUntil: Date): Promise<readonly ClaimedDelivery[]> {
    const rows = await this.#database.kysely
      .updateTable("deliveries")
      .set({ lease_until: leaseUntil })
      .where("id", "in", (of) =>
        of
          .selectFrom("deliveries")
          .select("id")
          .where("id", "in", ids)
          .where(isDue(now))
          .forUpdate()
          .skipLocked(),
      )
      .returning(["id", "account_id", "mode", "run_id", "url", "body", "tries", "first_tried_at"])
      .execute();
    return rows.map((row) => ({
      id: row.id,
      accountId: row.account_id,
      mode: row.mode,
      runId: row.run_id,
      url: row.url,
      body: row.body,
      tries: row.tries,
      firstTriedAt: row.first_tried_at,
      leaseUntil,
    }));
  }

  /** False when the try does not count: the lease was lost, or the message was replayed in the middle of it. */
  async record(claimed: ClaimedDelivery, outcome: TryOutcome): Promise<boolean> {
    const recorded = await this.#database.kysely
      .updateTable("deliveries")
      .set({
        state: outcome.state,
        tries: claimed.tries + 1,
        next_at: outcome.nextAt,
        lease_until: null,
        last_status: outcome.status,
        last_fault: outcome.fault,
        first_tried_at: claimed.firstTriedAt ?? outcome.triedAt,
        delivered_at: outcome.state === "delivered" ? outcome.at : null,
      })
      .where("id", "=", claimed.id)
      .where("lease_until", "=", claimed.leaseUntil)
      .where("tries", "=", claimed.tries)
      .returning("id")
      .executeTakeFirst();
    return recorded !== undefined;
  }

  /** Lets others try at once. A lease that is no longer ours stays. */
  async giveBack({ id, leaseUntil }: Pick<ClaimedDelivery, "id" | "leaseUntil">): Promise<void> {
    await this.#database.kysely
      .updateTable("deliveries")
      .set({ lease_until: null })
      .where("id", "=", id)
      .where("lease_until", "=", leaseUntil)
      .execute();
  }
}

/** What was never tried is due whatever its time says: it was written by another clock than this one. */
function isDue(now: Date) {
  const atMost = new Date(now.getTime() + clockSkewMs);
  return sql<boolean>`state = 'waiting' and next_at <= ${atMost} and (tries = 0 or next_at <= ${now})
    and (lease_until is null or lease_until <= ${now})`;
}
