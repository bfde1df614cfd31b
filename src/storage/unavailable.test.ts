import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { after, describe, test } from "node:test";
import { sql } from "kysely";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import type { TestPostgres } from "../../tests/support/postgres.ts";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { statementError } from "./connection-failure.ts";
import { DatabaseUnavailable } from "./database.ts";
import type { Statement } from "./database.ts";
import { openEmbedded } from "./embedded.ts";
import { openDatabase } from "./open-database.ts";

const postgres = await startPostgres({ own: true });
const skipped =
  "skipped" in postgres ? postgres.skipped : !postgres.isOurs && "skipped: the server is not ours";
after(async () => {
  if (!("skipped" in postgres)) await postgres.stop();
});

const one: Statement = { name: "one", text: "select 1 as one" };
const endless: Statement = {
  name: "endless",
  text: "select count(*) from generate_series(1, 1000000000000)",
};

test("failures of the connection become DatabaseUnavailable, answers of the server stay as they are", () => {
  for (const code of [
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "57P01",
    "57P02",
    "57P03",
    "08006",
    "08P01",
    "53300",
  ]) {
    const error = Object.assign(new Error("away"), { code });
    const mapped = statementError(error);
    assert.ok(mapped instanceof DatabaseUnavailable, code);
    assert.equal(mapped.cause, error);
    assert.equal(statementError(mapped), mapped);
  }
  for (const message of ["Connection terminated unexpectedly", "timeout exceeded when trying to connect"]) {
    assert.ok(statementError(new Error(message)) instanceof DatabaseUnavailable, message);
  }
  for (const code of ["40001", "40P01", "23505", "23514", "22003", "42601", "57014"]) {
    const error = Object.assign(new Error("Connection terminated"), { code });
    assert.equal(statementError(error), error, code);
  }
  assert.equal(statementError("text"), "text");
});

test("a stuck thread is given up with DatabaseUnavailable, and the next statement finds a new one", async (context) => {
  const directory = await freshDataDirectory("without tables");
  const settings = { directory, migrations: [], log: silentLog, clock: systemClock };
  const before = await openEmbedded(settings);
  await before.run({ name: "table", text: "create table kept (id int8)" }, []);
  await before.run({ name: "insert", text: "insert into kept values (1)" }, []);
  await before.close();
  const database = await openEmbedded({ ...settings, answerTimeoutMs: 2_000 });
  context.after(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });
  await assert.rejects(database.run(endless, []), DatabaseUnavailable);
  const rows = await untilAnswered(() => database.run({ name: "kept", text: "select id from kept" }, []));
  assert.deepEqual(rows, [{ id: 1n }]);
});

test("an address where nobody listens is DatabaseUnavailable at the start", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  assert.ok(typeof address === "object" && address !== null);
  listener.close();
  await once(listener, "close");
  const databaseUrl = `postgres://nobody@127.0.0.1:${address.port}/none`;
  await assert.rejects(
    openDatabase({ databaseUrl, directory: "unused", log: silentLog }),
    DatabaseUnavailable,
  );
});

test("a server that takes the connection and never answers is DatabaseUnavailable after five seconds", async (context) => {
  const sockets: Socket[] = [];
  const listener = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  await once(listener, "listening");
  const address = listener.address();
  assert.ok(typeof address === "object" && address !== null);
  const databaseUrl = `postgres://nobody@127.0.0.1:${address.port}/none`;
  await assert.rejects(
    openDatabase({ databaseUrl, directory: "unused", log: silentLog }),
    DatabaseUnavailable,
  );
});

const patienceMs = 60_000;

/** The first statements after a break may still meet the end of the old connection. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || performance.now() > deadline) throw error;
      await new Promise(setImmediate);
    }
  }
}

describe("PostgreSQL", { skip: skipped }, () => {
  function server(): TestPostgres {
    assert.ok(!("skipped" in postgres));
    return postgres;
  }

  test("a server that goes away is DatabaseUnavailable for all statements, and is used again when back", async () => {
    const database = await openDatabase({ databaseUrl: server().url, directory: "unused", log: silentLog });
    await database.run({ name: "table", text: "create table kept (id int8)" }, []);
    await database.run({ name: "insert", text: "insert into kept values (1)" }, []);
    const underWay = database.run({ name: "sleep", text: "select pg_sleep(60)" }, []);
    const inTransaction = database.kysely.transaction().execute(async (transaction) => {
      await sql`insert into kept values (2)`.execute(transaction);
      await sql`select pg_sleep(60)`.execute(transaction);
    });
    const failures = Promise.all([
      assert.rejects(underWay, DatabaseUnavailable),
      assert.rejects(inTransaction, DatabaseUnavailable),
    ]);
    await untilSleeping(database.run.bind(database));
    await server().kill();
    await failures;
    await assert.rejects(database.run(one, []), DatabaseUnavailable);
    await assert.rejects(sql`select 1`.execute(database.kysely), DatabaseUnavailable);
    await server().restart();
    const rows = await untilAnswered(() => database.run({ name: "kept", text: "select id from kept" }, []));
    assert.deepEqual(rows, [{ id: 1n }]);
    await database.close();
  });

  test("a server that lets this user in no more is DatabaseUnavailable, and is used again when it does", async () => {
    const databaseUrl = await server().freshDatabase();
    const admin = await openDatabase({ databaseUrl, directory: "unused", log: silentLog });
    const asOther = new URL(databaseUrl);
    asOther.username = "shut_out";
    await sql`create role shut_out login superuser`.execute(admin.kysely);
    const database = await openDatabase({ databaseUrl: asOther.href, directory: "unused", log: silentLog });
    await sql`alter role shut_out nologin`.execute(admin.kysely);
    const end = { name: "end", text: "select pg_terminate_backend(pg_backend_pid())" };
    await assert.rejects(database.run(end, []), DatabaseUnavailable);
    await assert.rejects(database.run(one, []), DatabaseUnavailable);
    await assert.rejects(sql`select 1`.execute(database.kysely), DatabaseUnavailable);
    await sql`alter role shut_out login`.execute(admin.kysely);
    assert.deepEqual(await database.run(one, []), [{ one: 1 }]);
    await database.close();
    await admin.close();
  });

  test("every session reads what is committed, whatever the server's default is", async () => {
    const databaseUrl = await server().freshDatabase();
    const open = () => openDatabase({ databaseUrl, directory: "unused", log: silentLog });
    const before = await open();
    const name = sql.id(new URL(databaseUrl).pathname.slice(1));
    await sql`alter database ${name} set default_transaction_isolation = 'serializable'`.execute(
      before.kysely,
    );
    await before.close();
    const database = await open();
    const asked = { name: "isolation", text: "select current_setting('transaction_isolation') as isolation" };
    assert.deepEqual(await database.run(asked, []), [{ isolation: "read committed" }]);
    await database.close();
  });

  test("statements of calls find a connection, however many others wait for something", async () => {
    const databaseUrl = await server().freshDatabase();
    const database = await openDatabase({ databaseUrl, directory: "unused", log: silentLog });
    await database.run({ name: "lock", text: "select pg_advisory_lock(1)" }, []);
    const waiting = Array.from({ length: 12 }, () =>
      sql`select pg_advisory_xact_lock_shared(1)`.execute(database.kysely),
    );
    const text = "select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted";
    const areStuck = async (): Promise<boolean> => {
      const [row] = await database.run({ name: "stuck", text }, []);
      return row?.["waiting"] === 6;
    };
    while (!(await areStuck()));
    assert.deepEqual(await database.run(one, []), [{ one: 1 }]);
    await database.run({ name: "unlock", text: "select pg_advisory_unlock(1)" }, []);
    await Promise.all(waiting);
    await database.close();
  });

  test("a session that an administrator ends is replaced", async () => {
    const database = await openDatabase({ databaseUrl: server().url, directory: "unused", log: silentLog });
    const ended = database.run({ name: "end", text: "select pg_terminate_backend(pg_backend_pid())" }, []);
    await assert.rejects(ended, DatabaseUnavailable);
    assert.deepEqual(await untilAnswered(() => database.run(one, [])), [{ one: 1 }]);
    await database.close();
  });

  test("a session that may only read is replaced after it was asked to write: a failover left it at the standby", async () => {
    const databaseUrl = await server().freshDatabase();
    const database = await openDatabase({ databaseUrl, directory: "unused", log: silentLog });
    const setting = `alter database ${new URL(databaseUrl).pathname.slice(1)}`;
    await database.run({ name: "table", text: "create table kept (id int8)" }, []);
    await database.run({ name: "standby", text: `${setting} set default_transaction_read_only = on` }, []);
    const end = { name: "end", text: "select pg_terminate_backend(pg_backend_pid())" };
    await assert.rejects(database.run(end, []), DatabaseUnavailable);
    const insert: Statement = { name: "insert", text: "insert into kept values (1)" };
    const insertOtherwise = (): Promise<unknown> => sql`insert into kept values (2)`.execute(database.kysely);
    const refused = { code: "25006" };
    await assert.rejects(database.run(insert, []), refused);
    await assert.rejects(insertOtherwise(), refused);
    await database.run(one, []);
    // The setting is another for sessions that begin from here on; those that stand keep what they had.
    const primary = `begin read write; ${setting} reset default_transaction_read_only; commit`;
    await sql.raw(primary).execute(database.kysely);
    await assert.rejects(database.run(insert, []), refused);
    await assert.rejects(insertOtherwise(), refused);
    await database.run(insert, []);
    await insertOtherwise();
    await database.close();
  });

  test("a deadlock stays the driver's error, with its code", async () => {
    const database = await openDatabase({
      databaseUrl: await server().freshDatabase(),
      directory: "unused",
      log: silentLog,
    });
    await database.run({ name: "table", text: "create table pair (id int primary key, value int)" }, []);
    await database.run({ name: "fill", text: "insert into pair values (1, 0), (2, 0)" }, []);
    let arrived = 0;
    let go: () => void = () => {};
    const both = new Promise<void>((resolve) => (go = resolve));
    const crossing = (first: number, second: number): Promise<void> =>
      database.kysely.transaction().execute(async (transaction) => {
        await sql`update pair set value = 1 where id = ${first}`.execute(transaction);
        arrived += 1;
        if (arrived === 2) go();
        await both;
        await sql`update pair set value = 1 where id = ${second}`.execute(transaction);
      });
    const outcomes = await Promise.allSettled([crossing(1, 2), crossing(2, 1)]);
    const failed = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.reason.code, "40P01");
    await database.close();
  });

  test("after closing, statements are DatabaseUnavailable", async () => {
    const database = await openDatabase({ databaseUrl: server().url, directory: "unused", log: silentLog });
    await database.close();
    await database.close();
    await assert.rejects(database.run(one, []), DatabaseUnavailable);
  });

  type Run = (statement: Statement, parameters: readonly unknown[]) => Promise<readonly object[]>;

  async function untilSleeping(run: Run): Promise<void> {
    const text =
      "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep' limit 2";
    while ((await run({ name: "sleeping", text }, [])).length < 2);
  }
});
