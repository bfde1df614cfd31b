import { sql } from "kysely";
import { newId } from "../../core/ids.ts";
import type { Database } from "../../storage/database.ts";
import { latestRuns, seenColumns } from "./latest-runs.ts";
import { leaseMs } from "./run-store.ts";
import type {
  Hold,
  ListedRun,
  NewRun,
  RunChange,
  RunEvent,
  RunQuery,
  RunRow,
  RunState,
  RunStore,
  SeenRun,
} from "./run-store.ts";

export function runStoreOf(database: Database, nodeId: string): RunStore {
  return new SqlRunStore(database, nodeId);
}

const leaseLasts = sql`${sql.lit(leaseMs)} * interval '1 millisecond'`;
const lease = sql<Date>`clock_timestamp() + ${leaseLasts}`;
/** Not a lease that ran out, but one that was given back, or whose holder is known to be dead. */
const givenBack = sql<Date>`timestamptz 'epoch'`;

class SqlRunStore implements RunStore {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database;
    this.#nodeId = nodeId;
  }

  insert(run: NewRun): Promise<RunRow> {
    return this.#database.kysely
      .insertInto("runs")
      .values({
        id: run.id,
        call_id: run.callId,
        account_id: run.accountId,
        key_id: run.keyId,
        mode: run.mode,
        plan: run.plan,
        model: run.model,
        model_id: run.modelId,
        category: run.category,
        offer: null,
        state: "submitting",
        ending: null,
        inputs: JSON.stringify(run.inputs),
        memory: null,
        progress: null,
        output: null,
        problem: null,
        usage: null,
        cost: null,
        price: JSON.stringify(run.price),
        credit_usd: run.creditUsd,
        webhook_url: run.webhookUrl ?? null,
        public_url: run.publicUrl,
        node_id: this.#nodeId,
        lease_until: lease,
        ended_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async change(
    hold: Hold,
    change: RunChange,
    event?: { readonly kind: string; readonly data: unknown },
  ): Promise<boolean> {
    const changed = this.#database.kysely
      .updateTable("runs")
      .set({ ...columnsOf(change), updated_at: sql`clock_timestamp()` })
      .where("id", "=", hold.id)
      .where("claim", "=", hold.claim)
      .where("state", "<>", "over")
      .returning("id");
    if (event === undefined) return (await changed.executeTakeFirst()) !== undefined;
    const noted = await this.#database.kysely
      .with("changed", () => changed)
      .insertInto("run_events")
      .columns(["run_id", "sequence", "kind", "data"])
      .expression((of) =>
        of
          .selectFrom("changed")
          .select([
            "changed.id",
            sql<number>`(select coalesce(max(e.sequence), 0) + 1 from run_events e where e.run_id = changed.id)`.as(
              "sequence",
            ),
            sql<string>`${event.kind}::text`.as("kind"),
            sql<string>`${JSON.stringify(event.data)}::jsonb`.as("data"),
          ]),
      )
      .returning("run_id")
      .executeTakeFirst();
    return noted !== undefined;
  }

  async end(row: SeenRun, cost: bigint, message: string | undefined): Promise<boolean> {
    return this.#database.kysely.transaction().execute(async (transaction) => {
      const ended = await transaction
        .updateTable("runs")
        .set({
          state: "over",
          cost,
          // Nobody goes on from here, and what customers sent is theirs: texts, addresses, recordings.
          inputs: "{}",
          memory: null,
          updated_at: sql`clock_timestamp()`,
          ended_at: row.ended_at ?? sql`clock_timestamp()`,
        })
        .where("id", "=", row.id)
        .where("state", "=", "settling")
        .returning("id")
        .executeTakeFirst();
      if (ended === undefined) return false;
      await transaction
        .insertInto("run_events")
        .values({
          run_id: row.id,
          sequence: sql`(select coalesce(max(sequence), 0) + 1 from run_events where run_id = ${row.id})`,
          kind: row.ending ?? "done",
          data: "{}",
        })
        .execute();
      if (row.webhook_url !== null && message !== undefined) {
        await transaction
          .insertInto("deliveries")
          .values({
            id: newId("msg"),
            account_id: row.account_id,
            mode: row.mode,
            run_id: row.id,
            url: row.webhook_url,
            body: message,
            state: "waiting",
            next_at: sql`clock_timestamp()`,
            lease_until: null,
            last_status: null,
            last_fault: null,
            delivered_at: null,
          })
          .execute();
      }
      return true;
    });
  }

  renew(holds: readonly Hold[]): Promise<ReadonlySet<string>> {
    return this.#setLease(holds, lease);
  }

  async letGo(holds: readonly Hold[]): Promise<void> {
    await this.#setLease(holds, givenBack);
  }

  async #setLease(holds: readonly Hold[], until: typeof lease): Promise<ReadonlySet<string>> {
    if (holds.length === 0) return new Set();
    const { rows } = await sql<{ readonly id: string }>`
      update runs r set lease_until = ${until}
      from ${listed(holds)}
      where r.id = h.id and r.claim = h.claim and r.state <> 'over'
      returning r.id`.execute(this.#database.kysely);
    return new Set(rows.map(({ id }) => id));
  }

  async claimAbandoned(limit: number, driven: readonly Hold[]): Promise<readonly RunRow[]> {
    return this.#database.kysely
      .updateTable("runs")
      .set({ node_id: this.#nodeId, claim: sql`claim + 1`, lease_until: lease })
      .where("id", "in", (of) =>
        of
          .selectFrom("runs")
          .select("id")
          .where("state", "<>", "over")
          .where(hasRunOut)
          .where(
            sql<boolean>`not exists (select from ${listed(driven)} where h.id = runs.id and h.claim = runs.claim)`,
          )
          .orderBy("lease_until")
          .limit(limit)
          .forUpdate()
          .skipLocked(),
      )
      .returningAll()
      .execute();
  }

  takeOver(id: string, states: readonly RunState[]): Promise<RunRow | undefined> {
    return this.#database.kysely
      .updateTable("runs")
      .set({ node_id: this.#nodeId, claim: sql`claim + 1`, lease_until: lease })
      .where("id", "=", id)
      .where("state", "in", states)
      .returningAll()
      .executeTakeFirst();
  }

  async abandon(deadNodes: readonly string[] | undefined): Promise<void> {
    if (deadNodes?.length === 0) return;
    await this.#database.kysely
      .updateTable("runs")
      .set({ lease_until: givenBack })
      .where("state", "<>", "over")
      .where((of) =>
        deadNodes === undefined ? of("node_id", "<>", this.#nodeId) : of("node_id", "in", deadNodes),
      )
      .execute();
  }

  async isClosed(callId: string): Promise<boolean> {
    const found = await this.#database.kysely
      .selectFrom("receipts")
      .select("call_id")
      .where("call_id", "=", callId)
      .executeTakeFirst();
    return found !== undefined;
  }

  read(id: string): Promise<SeenRun | undefined> {
    return this.#database.kysely
      .selectFrom("runs")
      .select(seenColumns)
      .where("id", "=", id)
      .executeTakeFirst();
  }

  list(query: RunQuery): Promise<readonly ListedRun[]> {
    return latestRuns(this.#database, query);
  }

  events(id: string, after: number): Promise<readonly RunEvent[]> {
    return this.#database.kysely
      .selectFrom("run_events")
      .select(["sequence", "kind", "data"])
      .where("run_id", "=", id)
      .where("sequence", ">", after)
      .orderBy("sequence")
      .limit(1_000)
      .execute();
  }
}

const hasRunOut = sql<boolean>`(lease_until = ${givenBack} or lease_until < clock_timestamp()
  and pg_postmaster_start_time() < clock_timestamp() - ${leaseLasts})`;

function listed(holds: readonly Hold[]) {
  const ids = holds.map(({ id }) => id);
  const claims = holds.map(({ claim }) => claim);
  return sql`unnest(${ids}::text[], ${claims}::bigint[]) as h (id, claim)`;
}

function columnsOf(change: RunChange) {
  return {
    state: change.state,
    ...(change.offer === undefined ? {} : { offer: change.offer }),
    ...(change.memory === undefined ? {} : { memory: JSON.stringify(change.memory) }),
    ...(change.progress === undefined ? {} : { progress: change.progress }),
    ...(change.output === undefined ? {} : { output: JSON.stringify(change.output) }),
    ...(change.problem === undefined ? {} : { problem: JSON.stringify(change.problem) }),
    ...(change.usage === undefined ? {} : { usage: JSON.stringify(change.usage) }),
    ...(change.cost === undefined ? {} : { cost: change.cost }),
    ...(change.estimated === undefined ? {} : { estimated: change.estimated }),
    ...(change.attempts === undefined ? {} : { attempts: change.attempts }),
    ...(change.ending === undefined ? {} : { ending: change.ending }),
  };
}
