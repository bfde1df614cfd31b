import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { startPostgres } from "../../tests/support/postgres.ts";
import { systemClock, TurnableClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import { formatCredits } from "../core/credits.ts";
import { silentLog } from "../core/log.ts";
import type { LogFields } from "../core/log.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database, Row, Statement } from "../storage/database.ts";
import { DeliveredNotes } from "./delivered-notes.ts";
import { addAccount, openHome, openHomes } from "./ledger-homes.test-support.ts";
import { holdOf, live, problem, receiptOf } from "./ledger-under-test.ts";
import type { HoldRequest, Ledger } from "./ledger.ts";
import { sqlLedger } from "./sql-ledger.ts";
import type { SqlLedgerOptions } from "./sql-ledger.ts";

const bounded = { timeout: 60_000 };

/** Passes statements on until told to do something else with one of them. */
class FaultyDatabase implements Database {
  readonly #real: Database;
  readonly sent: string[] = [];
  /** What happens instead of the next statements of a name; those that write calls go by what they write. */
  readonly faults = new Map<string, ((run: () => Promise<readonly Row[]>) => Promise<readonly Row[]>)[]>();

  constructor(real: Database) {
    this.#real = real;
  }

  get home(): Database["home"] {
    return this.#real.home;
  }

  get kysely(): Database["kysely"] {
    return this.#real.kysely;
  }

  run(statement: Statement, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const run = (): Promise<readonly Row[]> => this.#real.run(statement, parameters);
    const names = namesOf(statement, parameters);
    this.sent.push(...names);
    const fault = names.map((name) => this.faults.get(name)?.shift()).find((each) => each !== undefined);
    return fault === undefined ? run() : fault(run);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function namesOf({ name }: Statement, [writes]: readonly unknown[]): readonly string[] {
  if (name !== "ledger_write") return [name];
  const rows: readonly { readonly kind: string }[] = JSON.parse(String(writes));
  return ["hold", "close"]
    .filter((kind) => rows.some((row) => row.kind === kind))
    .map((kind) => `ledger_${kind}`);
}

const away = (): Promise<never> => Promise.reject(new DatabaseUnavailable(new Error("test")));

/** The statement took effect, but nobody hears of it. */
async function loseAnswer(run: () => Promise<readonly Row[]>): Promise<never> {
  await run();
  return away();
}

const server = await startPostgres({ own: true });
const skip = "skipped" in server ? server.skipped : !server.isOurs && "the server is not ours to end";

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`a ledger on ${name} survives crashes`, { skip: home }, () => {});
    continue;
  }
  const { database } = home;
  const opened: Ledger[] = [];

  function open(options: Partial<SqlLedgerOptions> = {}): Ledger {
    const ledger = sqlLedger({
      database,
      nodeId: newId("node"),
      clock: systemClock,
      log: silentLog,
      deadNodes: [],
      ...options,
    });
    opened.push(ledger);
    return ledger;
  }

  async function accountWith(amount: bigint): Promise<string> {
    const accountId = await addAccount(database);
    const ledger = open();
    await ledger.grant({ id: newId("grant"), accountId, mode: "live", amount, reason: "test" });
    await ledger.stop();
    return accountId;
  }

  async function set(statement: string): Promise<void> {
    await database.run({ name: "", text: statement }, []);
  }

  // Not inside the suite: it must also run when a name pattern leaves the whole suite out.
  after(() => home.close());

  describe(`a ledger on ${name}`, () => {
    // A ledger that is still open looks for dead processes every few seconds, also for those of the next test.
    afterEach(async () => {
      for (const ledger of opened.splice(0)) await ledger.stop();
    });

    test(
      "K-01 calls that a process left open are closed for what was delivered, at most their hold",
      bounded,
      async () => {
        const accountId = await accountWith(1_000n);
        const left = open();
        const calls = [holdOf(accountId), holdOf(accountId), holdOf(accountId)] as const;
        for (const call of calls) await left.hold(call);
        left.delivered(calls[0].callId, 10n);
        left.delivered(calls[0].callId, 40n);
        left.delivered(calls[0].callId, 20n);
        left.delivered(calls[1].callId, 500n);
        await left.stop();
        const ledger = open();
        assert.equal(await ledger.recover(), 3);
        assert.equal(await ledger.recover(), 0);
        assert.deepEqual(await ledger.balances(accountId), live(860n, 0n));
        const receipts = await database.kysely
          .selectFrom("receipts")
          .select(["cost", "ending", "estimated"])
          .where("account_id", "=", accountId)
          .orderBy("cost")
          .execute();
        assert.deepEqual(receipts, [
          { cost: 0n, ending: "recovered", estimated: true },
          { cost: 40n, ending: "recovered", estimated: true },
          { cost: 100n, ending: "recovered", estimated: true },
        ]);
        assert.deepEqual(await ledger.close(receiptOf(calls[0], 90n)), { charged: 40n, available: 860n });
      },
    );

    test("a process that is silent for too long is dead, and one that beats is not", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const clock = new TurnableClock();
      const [silent, alive] = [open({ nodeId: "node_silent" }), open({ deadAfterMs: 3_600_000 })];
      await silent.hold(holdOf(accountId));
      await alive.hold(holdOf(accountId));
      await silent.stop();
      await set("insert into nodes (id, seen_at) values ('node_silent', now() - interval '1 day')");
      const ledger = open({ clock, deadAfterMs: 3_600_000 });
      const inTouch = async (): Promise<number> => {
        await ledger.recover();
        clock.turn({ seconds: 1_801 });
        return ledger.recover();
      };
      if (name === "postgres") {
        // While the server was down nobody could beat: silence counts from its start, which was not an hour ago.
        assert.equal(await inTouch(), 0);
        const impatient = open({ clock, deadAfterMs: 500 });
        assert.equal(await impatient.recover(), 0);
        await set("select pg_sleep(0.6)");
        await set("update nodes set seen_at = now() + interval '1 hour' where id <> 'node_silent'");
        clock.turn({ milliseconds: 300 });
        assert.equal(await impatient.recover(), 1);
        assert.deepEqual(await ledger.balances(accountId), live(900n, 100n));
      }
      await set("delete from nodes where id = 'node_silent'");
      await ledger.recover();
      assert.deepEqual(await ledger.balances(accountId), live(900n, 100n));
    });

    test("nodes that are known to be dead, or all others, are recovered at once", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const [known, other, own] = [open({ nodeId: "node_known" }), open(), open({ deadNodes: "all-others" })];
      for (const ledger of [known, other, own]) await ledger.hold(holdOf(accountId));
      await open({ deadNodes: ["node_known"] }).recover();
      assert.deepEqual(await own.balances(accountId), live(800n, 200n));
      await own.recover();
      assert.deepEqual(await own.balances(accountId), live(900n, 100n));
    });

    test(
      "a process that finds its call closed by others says what was not charged, and never charges twice",
      bounded,
      async () => {
        const accountId = await accountWith(1_000n);
        const lines: unknown[] = [];
        const log = { ...silentLog, warn: (fields: LogFields) => lines.push(fields) };
        const faulty = new FaultyDatabase(database);
        const slept = open({ database: faulty, log, nodeId: "node_slept" });
        const [noted, silent, dear] = [holdOf(accountId), holdOf(accountId), holdOf(accountId)];
        for (const call of [noted, silent]) await slept.hold(call);
        await database.kysely
          .updateTable("holds")
          .set({ delivered: 30n })
          .where("call_id", "=", noted.callId)
          .execute();
        await open({ deadNodes: ["node_slept"] }).recover();
        assert.deepEqual(await slept.close(receiptOf(noted, 90n)), { charged: 30n, available: 970n });
        assert.deepEqual(await slept.close(receiptOf(silent, 90n)), { charged: 0n, available: 970n });
        const told = (callId: string, charged: bigint, notCharged: bigint) => ({
          callId,
          charged: formatCredits(charged),
          notCharged: formatCredits(notCharged),
        });
        assert.deepEqual(lines.splice(0), [told(noted.callId, 30n, 60n), told(silent.callId, 0n, 90n)]);
        // Its own close, whose answer was lost, is nobody else's, also where the call cost more than its hold.
        await slept.hold(dear);
        faulty.faults.set("ledger_close", [loseAnswer]);
        assert.deepEqual(await slept.close(receiptOf(dear, 150n)), { charged: 100n, available: 870n });
        assert.equal(lines.length, 1, "that closes wait for the database, and no more");
        assert.deepEqual((await slept.audit()).faults, []);
      },
    );

    test("a hold whose answer was lost is refused as our fault, and given back", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      faulty.faults.set("ledger_hold", [loseAnswer]);
      const ledger = open({ database: faulty });
      const refused = await Promise.allSettled([
        ledger.hold(holdOf(accountId)),
        ledger.hold(holdOf(accountId)),
      ]);
      for (const answer of refused) {
        assert.ok(answer.status === "rejected" && problem("service_unavailable")(answer.reason));
        assert.equal(answer.reason.retryAfterSeconds, 1);
      }
      await ledger.stop();
      assert.deepEqual(await open().balances(accountId), live(1_000n, 0n));
    });

    test("a hold that reaches the database after it was given back takes nothing", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      let late: (() => Promise<readonly Row[]>) | undefined;
      faulty.faults.set("ledger_hold", [
        (run) => {
          late = run;
          return away();
        },
      ]);
      const ledger = open({ database: faulty });
      await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
      await ledger.stop();
      assert.deepEqual(await late?.(), [{ answer: '[null,"1000",0]' }]);
      assert.deepEqual(await open().balances(accountId), live(1_000n, 0n));
    });

    test("D-01 while the database is away holds are refused without being sent", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      faulty.faults.set("ledger_beat", [away, away]);
      const ledger = open({ database: faulty });
      await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
      await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
      assert.deepEqual(faulty.sent, ["ledger_beat", "ledger_beat"]);
      assert.equal((await ledger.hold(holdOf(accountId))).held, 100n);
    });

    test("a close whose answer was lost is asked for again, and charges once", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      faulty.faults.set("ledger_close", [loseAnswer, away]);
      const ledger = open({ database: faulty });
      const call = holdOf(accountId);
      await ledger.hold(call);
      assert.deepEqual(await ledger.close(receiptOf(call, 40n)), { charged: 40n, available: 960n });
      assert.equal(faulty.sent.filter((sent) => sent === "ledger_close").length, 3);
    });

    test("D-08 while the disk is full holds are refused as our fault, and closes wait", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      const full = (): Promise<never> => Promise.reject(Object.assign(new Error(), { code: "53100" }));
      faulty.faults.set("ledger_hold", [full]).set("ledger_close", [full, full]);
      const ledger = open({ database: faulty });
      await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
      const call = holdOf(accountId);
      assert.equal((await ledger.hold(call)).held, 100n);
      assert.equal((await ledger.close(receiptOf(call, 40n))).charged, 40n);
    });

    test("D-08 what was delivered is noted once the database writes again", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      const fails = (code: string) => () => Promise.reject(Object.assign(new Error(), { code }));
      faulty.faults.set("ledger_delivered", [fails("53100"), fails("25006"), away]);
      const left = open();
      const call = holdOf(accountId);
      await left.hold(call);
      const notes = new DeliveredNotes(faulty, silentLog);
      notes.note(call.callId, 40n);
      for (let tries = 0; tries < 4; tries += 1) await notes.write();
      notes.stop();
      await left.stop();
      await open().recover();
      assert.deepEqual(await open().balances(accountId), live(960n, 0n));
    });

    test("a statement that lost a deadlock is run again", bounded, async () => {
      const accountId = await accountWith(1_000n);
      const faulty = new FaultyDatabase(database);
      const deadlock = (): Promise<never> => Promise.reject(Object.assign(new Error(), { code: "40P01" }));
      faulty.faults.set("ledger_hold", [deadlock, deadlock]).set("ledger_close", [deadlock]);
      const ledger = open({ database: faulty });
      const call = holdOf(accountId);
      assert.equal((await ledger.hold(call)).held, 100n);
      assert.equal((await ledger.close(receiptOf(call, 40n))).charged, 40n);
    });

    test(
      "a close that loses every conflict waits and is asked for again, a hold is refused as our fault",
      bounded,
      async () => {
        const accountId = await accountWith(1_000n);
        const faulty = new FaultyDatabase(database);
        const conflict = (): Promise<never> => Promise.reject(Object.assign(new Error(), { code: "40001" }));
        const conflicts = Array.from({ length: 7 }, () => conflict);
        const ledger = open({ database: faulty });
        const call = holdOf(accountId);
        await ledger.hold(call);
        faulty.faults.set("ledger_close", conflicts).set("ledger_hold", conflicts.slice(2));
        await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
        assert.equal((await ledger.close(receiptOf(call, 40n))).charged, 40n);
        await ledger.stop();
        assert.deepEqual(await open().balances(accountId), live(960n, 0n));
      },
    );

    test(
      "stopping while the database is away ends the waiting closes, and their calls can be recovered",
      bounded,
      async () => {
        const accountId = await accountWith(1_000n);
        const faulty = new FaultyDatabase(database);
        const ledger = open({ database: faulty });
        const call = holdOf(accountId);
        await ledger.hold(call);
        faulty.faults.set(
          "ledger_close",
          Array.from({ length: 1_000 }, () => away),
        );
        const closing = assert.rejects(ledger.close(receiptOf(call, 40n)), problem("service_unavailable"));
        await ledger.stop();
        await closing;
        await assert.rejects(ledger.hold(holdOf(accountId)), problem("shutting_down"));
        await open().recover();
        assert.deepEqual(await open().balances(accountId), live(1_000n, 0n));
      },
    );
  });
}

test(
  "D-01 when the server crashes amid calls nothing is lost, and every hold without an answer comes back",
  {
    ...bounded,
    skip,
  },
  async (context) => {
    assert.ok(!("skipped" in server));
    const home = await openHome("postgres");
    assert.ok(typeof home !== "string");
    context.after(() => home.close());
    const ledger = sqlLedger({
      database: home.database,
      nodeId: newId("node"),
      clock: systemClock,
      log: silentLog,
    });
    let hasEnded = false;
    context.after(() => {
      hasEnded = true;
      return ledger.stop();
    });
    const accountId = await addAccount(home.database);
    await ledger.grant({ id: newId("grant"), accountId, mode: "live", amount: 1_000_000n, reason: "test" });
    const charges: bigint[] = [];
    const callers = Array.from({ length: 64 }, async () => {
      for (let count = 0; !hasEnded; count++) {
        const call = holdOf(accountId);
        try {
          await ledger.hold(call);
        } catch (error) {
          assert.ok(problem("service_unavailable")(error));
          continue;
        }
        charges.push((await ledger.close(receiptOf(call, BigInt(1 + (count % 120))))).charged);
      }
    });
    const open = holdOf(accountId);
    const closedAway = holdOf(accountId);
    await ledger.hold(open);
    await ledger.hold(closedAway);
    while (charges.length < 1_000) await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    await assert.rejects(ledger.hold(holdOf(accountId)), problem("service_unavailable"));
    const closing = ledger.close(receiptOf(closedAway, 7n));
    // The callers stop asking before the server is back: those that wait for a close still wait.
    hasEnded = true;
    await server.restart();
    await Promise.all(callers);
    charges.push((await closing).charged);
    const call = await holdOnceBack(ledger, accountId);
    charges.push((await ledger.close(receiptOf(call, 7n))).charged);
    const audit = await ledger.audit();
    assert.deepEqual(audit.faults, []);
    await ledger.stop();
    const last = sqlLedger({
      database: home.database,
      nodeId: newId("node"),
      clock: systemClock,
      log: silentLog,
    });
    const charged = charges.reduce((sum, each) => sum + each, 0n);
    assert.equal(await last.recover(), 1);
    assert.deepEqual(await last.balances(accountId), live(1_000_000n - charged, 0n));
    await last.stop();
  },
);

/** On a busy machine the server's first answer may come later than a call waits for it. */
async function holdOnceBack(ledger: Ledger, accountId: string): Promise<HoldRequest> {
  for (;;) {
    const call = holdOf(accountId);
    try {
      await ledger.hold(call);
      return call;
    } catch (error) {
      assert.ok(problem("service_unavailable")(error));
    }
  }
}
