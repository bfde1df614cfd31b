import { sql } from "kysely";
import type { Mode } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problems.ts";
import type { Database } from "../../storage/database.ts";
import type { DeliveryRow, DeliveryState } from "./delivery-queue.ts";

export type { DeliveryRow, DeliveryState } from "./delivery-queue.ts";

export const deliveryStates: readonly DeliveryState[] = ["waiting", "delivered", "given_up", "refused"];

/** Whose messages: what another account or the other mode has is not there. */
export type DeliveryOwner = { readonly accountId: string; readonly mode: Mode };

/** In a list the message itself is left out. */
export type ListedDelivery = Omit<DeliveryRow, "body" | "receiver">;

export type DeliveryQuery = DeliveryOwner & {
  readonly state: DeliveryState | undefined;
  readonly limit: number;
  /** The id of the last one of the page before. */
  readonly after: string | undefined;
};

export type DeliveryPage = { readonly deliveries: readonly ListedDelivery[]; readonly hasMore: boolean };

const listedColumns = [
  "id",
  "account_id",
  "mode",
  "run_id",
  "url",
  "state",
  "tries",
  "replays",
  "next_at",
  "lease_until",
  "last_status",
  "last_fault",
  "created_at",
  "delivered_at",
  "first_tried_at",
] as const;

/** The outbox as its owner sees it. What is not theirs is told as what does not exist, in the same way. */
export class Deliveries {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Newest first. Throws `invalid_request` for an `after` that the owner does not have. */
  async list({ accountId, mode, state, limit, after }: DeliveryQuery): Promise<DeliveryPage> {
    let query = this.#database.kysely
      .selectFrom("deliveries")
      .select(listedColumns)
      .where("account_id", "=", accountId)
      .where("mode", "=", mode);
    if (state !== undefined) query = query.where("state", "=", state);
    if (after !== undefined) {
      const last = await this.#find(after, { accountId, mode });
      if (last === undefined)
        throw new Problem("invalid_request", {
          param: "after",
          message: "after: there is no such delivery.",
        });
      // Compared where it lies: a Date has milliseconds, the column has microseconds.
      const at = sql<Date>`(select created_at from deliveries where id = ${last.id})`;
      query = query.where((row) =>
        row.or([row("created_at", "<", at), row.and([row("created_at", "=", at), row("id", ">", last.id)])]),
      );
    }
    const rows = await query
      .orderBy("created_at", "desc")
      .orderBy("id")
      .limit(limit + 1)
      .execute();
    return { deliveries: rows.slice(0, limit), hasMore: rows.length > limit };
  }

  /** Throws `not_found`. */
  async read(id: string, owner: DeliveryOwner): Promise<DeliveryRow> {
    return (await this.#find(id, owner)) ?? missing();
  }

  /**
   * Begins anew, whatever became of it: the same message under the same id, tried at once and with the whole schedule
   * before it. A retry that is under way ends uncounted, and the new try follows it. Throws `not_found`.
   */
  async replay(id: string, { accountId, mode }: DeliveryOwner): Promise<DeliveryRow> {
    const replayed = await this.#database.kysely
      .updateTable("deliveries")
      .set({
        state: "waiting",
        tries: 0,
        replays: sql`replays + 1`,
        next_at: new Date(this.#clock.now()),
        first_tried_at: null,
        delivered_at: null,
      })
      .where("id", "=", id)
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .returningAll()
      .executeTakeFirst();
    return replayed ?? missing();
  }

  #find(id: string, { accountId, mode }: DeliveryOwner): Promise<DeliveryRow | undefined> {
    return this.#database.kysely
      .selectFrom("deliveries")
      .selectAll()
      .where("id", "=", id)
      .where("account_id", "=", accountId)
      .where("mode", "=", mode)
      .executeTakeFirst();
  }
}

function missing(): never {
  throw new Problem("not_found", { message: "There is no such delivery." });
}
