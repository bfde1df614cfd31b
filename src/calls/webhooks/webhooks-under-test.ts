import assert from "node:assert/strict";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { after, afterEach, before } from "node:test";
import { startSite } from "../../../tests/support/egress-sites.ts";
import type { Site, SiteAnswer, Visit } from "../../../tests/support/egress-sites.ts";
import type { Mode } from "../../core/caller.ts";
import { TurnableClock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import type { Log, LogFields } from "../../core/log.ts";
import { createEgress } from "../../egress/egress.ts";
import type { Egress } from "../../egress/egress.ts";
import type { LedgerHome } from "../../ledger/ledger-homes.test-support.ts";
import type { Database } from "../../storage/database.ts";
import { runStoreOf } from "../runs/sql-run-store.ts";
import type { RunRow, RunStore } from "../runs/run-store.ts";
import { finishedMessage } from "../runs/run-view.ts";
import type { DeliveryRow } from "./delivery-queue.ts";
import { DeliveryWorker } from "./delivery-worker.ts";
import type { WorkerHouse } from "./delivery-worker.ts";

/** For tests: runs that end, a server of the customer's that answers as told, and a worker between them. */

export const masterSecret = "the master secret of this server";

export type RunWish = {
  readonly url: string;
  readonly accountId?: string;
  readonly mode?: Mode;
  readonly row?: Partial<RunRow>;
  /** Default: one of now. */
  readonly id?: string;
};

/** A run that is decided and not yet over: what is left is `end`. */
export async function decidedRun(store: RunStore, wish: RunWish): Promise<RunRow> {
  const id = wish.id ?? newId("call").replace("call_", "run_");
  const row = await store.insert({
    id,
    callId: id.replace("run_", "call_"),
    accountId: wish.accountId ?? "acc_1",
    keyId: "key_of_the_caller",
    mode: wish.mode ?? "live",
    plan: "pro",
    model: "scrape",
    modelId: "test/scrape",
    category: "scrape",
    inputs: { url: "https://example.com" },
    price: {},
    creditUsd: "0.05",
    webhookUrl: wish.url,
    publicUrl: "https://api.example.com",
  });
  await store.change(
    { id, claim: row.claim },
    { state: "settling", ending: "done", output: { markdown: "# Grüße ✓" }, usage: { runs: 1 }, cost: 1n },
  );
  return { ...row, state: "settling", ending: "done", output: { markdown: "# Grüße ✓" }, ...wish.row };
}

/** Ends a run as the spine does, and resolves with the id of its message. */
export async function endRun(database: Database, wish: RunWish): Promise<string> {
  const store = runStoreOf(database, "node_1");
  const row = await decidedRun(store, wish);
  await store.end(row, 1n, finishedMessage({ ...row, state: "over", ended_at: new Date() }));
  const { id } = await database.kysely
    .selectFrom("deliveries")
    .select("id")
    .where("run_id", "=", row.id)
    .executeTakeFirstOrThrow();
  return id;
}

export function deliveryOf(database: Database, id: string): Promise<DeliveryRow> {
  return database.kysely.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

/** Remembers every line. */
export type KeptLog = Log & {
  readonly lines: readonly { readonly fields: LogFields; readonly message: string }[];
};

export function keptLog(): KeptLog {
  const lines: { fields: LogFields; message: string }[] = [];
  const keep = (fields: LogFields, message: string): void => void lines.push({ fields, message });
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}

export type Receiver = Site & {
  /** The address of the receiver under a name of its own; all names lead to it. */
  readonly url: (name?: string) => string;
  /** From now on only later visits are told. */
  readonly forget: () => void;
};

/** The customer's server. */
export async function startReceiver(answer: SiteAnswer, port = 0): Promise<Receiver> {
  const site = await startSite(answer, { port });
  let forgotten = 0;
  return {
    ...site,
    get visits() {
      return site.visits.slice(forgotten);
    },
    url: (name = "hooks") => `http://${name}.example.com:${site.port}/hook?token=theirs`,
    forget: () => (forgotten = site.visits.length),
  };
}

/** A way out on which all names lead to this machine, where everything is open. */
export function loopbackEgress(lookup: () => Promise<readonly string[]> = async () => ["127.0.0.1"]): Egress {
  return createEgress({ allowed: ["127.0.0.1"], lookup });
}

/** A worker that looks only when told, by a clock that begins with the real time. */
export type Bench = {
  readonly clock: TurnableClock;
  readonly log: KeptLog;
  readonly worker: DeliveryWorker;
  /** Looks once, and resolves when all that was due has been tried. */
  readonly turn: (seconds?: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type BenchWish = Partial<WorkerHouse> & { readonly egress?: Egress };

export function benchOf(database: Database, more: BenchWish = {}): Bench {
  const clock = new TurnableClock(new Date().getTime());
  const log = keptLog();
  const { egress = loopbackEgress(), ...settings } = more;
  const house = { database, egress, clock, log, secret: masterSecret, backoffMs: 5_000, timeoutMs: 5_000 };
  const worker = new DeliveryWorker({ ...house, ...settings });
  return {
    clock,
    log,
    worker,
    async turn(seconds = 0) {
      clock.turn({ seconds });
      worker.nudge();
      await worker.whenIdle();
    },
    async stop() {
      await worker.stop(0);
      await egress.stop();
    },
  };
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const taken: Answer = (_, response) => void response.writeHead(204).end();

export function answering(code: number, headers: OutgoingHttpHeaders = {}): Answer {
  return (_, response) => void response.writeHead(code, headers).end("no");
}

/** A receiver and benches for the tests of one suite; nothing is left of one test in the next. */
export class Scene {
  /** What the receiver does. */
  answer: Answer = taken;
  readonly database: Database;
  readonly #otherDatabase: Database;
  readonly #benches: Bench[] = [];
  #receiver: Receiver | undefined;

  constructor(home: LedgerHome) {
    this.database = home.database;
    this.#otherDatabase = home.otherDatabase;
    before(async () => {
      this.#receiver = await startReceiver((request, response) => this.answer(request, response));
    });
    afterEach(() => this.#clear());
    after(async () => {
      await this.#receiver?.stop();
      await home.close();
    });
  }

  get receiver(): Receiver {
    return this.#receiver ?? assert.fail("the receiver is not there yet");
  }

  /** The last message that arrived. */
  get last(): Visit {
    return this.receiver.visits.at(-1) ?? assert.fail("nobody came");
  }

  bench(more?: BenchWish): Bench {
    return this.#kept(benchOf(this.database, more));
  }

  /** As another node has it. */
  otherBench(): Bench {
    return this.#kept(benchOf(this.#otherDatabase));
  }

  #kept(bench: Bench): Bench {
    this.#benches.push(bench);
    return bench;
  }

  async #clear(): Promise<void> {
    for (const bench of this.#benches.splice(0)) await bench.stop();
    await this.database.kysely.deleteFrom("deliveries").execute();
    await this.database.kysely.deleteFrom("replaced_webhook_secrets").execute();
    this.receiver.forget();
    this.answer = taken;
  }
}
