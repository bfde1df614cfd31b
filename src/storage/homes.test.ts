import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { sql } from "kysely";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { silentLog } from "../core/log.ts";
import type { Database, Row } from "./database.ts";
import { openDatabase } from "./open-database.ts";

const postgres = await startPostgres();
const skipped = "skipped" in postgres ? postgres.skipped : false;
after(async () => {
  if (!("skipped" in postgres)) await postgres.stop();
});

/** SQL type, value as handed in, value as it must come back. */
const values: readonly (readonly [string, unknown, unknown])[] = [
  ["int8", 1n, 1n],
  ["int8", 0n, 0n],
  ["int8", 42, 42n],
  ["int8", 9_007_199_254_740_993n, 9_007_199_254_740_993n],
  ["int8", -9_223_372_036_854_775_808n, -9_223_372_036_854_775_808n],
  ["int8[]", [1n, null, 9_007_199_254_740_993n], [1n, null, 9_007_199_254_740_993n]],
  ["int4", 7, 7],
  ["float8", 0.1, 0.1],
  ["boolean", true, true],
  ["text", "naïve 🙂 \\ ' \" \n end", "naïve 🙂 \\ ' \" \n end"],
  ["text", "", ""],
  ["text[]", ["a", 'b"{},\\', ""], ["a", 'b"{},\\', ""]],
  ["numeric", "12345678901234567890.000001", "12345678901234567890.000001"],
  ["numeric", "0", "0"],
  ["timestamptz", new Date("2026-03-01T12:34:56.789Z"), new Date("2026-03-01T12:34:56.789Z")],
  ["timestamptz", "2026-03-01T12:34:56.789+05:30", new Date("2026-03-01T07:04:56.789Z")],
  ["jsonb", '{"a":[1,"x",null,{"b":true}]}', { a: [1, "x", null, { b: true }] }],
  ["jsonb", '"text"', "text"],
  ["jsonb", "null", null],
  ["json", '{"a":1}', { a: 1 }],
  ["bytea", Buffer.from([0, 1, 127, 128, 255]), Buffer.from([0, 1, 127, 128, 255])],
  ["bytea", Buffer.alloc(0), Buffer.alloc(0)],
  ["text", null, null],
  ["int8", null, null],
  ["bytea", undefined, null],
];

function homeTests(open: () => Promise<Database>): void {
  let database: Database;
  before(async () => {
    database = await open();
  });
  after(() => database.close());

  const select = (text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> =>
    database.run({ name: text.slice(0, 60), text }, parameters);

  test("each type arrives as promised, through run", async () => {
    for (const [index, [type, given, expected]] of values.entries()) {
      const [row] = await database.run({ name: `type-${index}`, text: `select $1::${type} as value` }, [
        given,
      ]);
      assert.deepStrictEqual(row, { value: expected }, `${type} ${String(given)}`);
    }
  });

  test("each type arrives as promised, through Kysely", async () => {
    for (const [type, given, expected] of values) {
      const query = sql<Row>`select ${given ?? null}::${sql.raw(type)} as value`;
      const { rows } = await query.execute(database.kysely);
      assert.deepStrictEqual(rows, [{ value: expected }], `${type} ${String(given)}`);
    }
  });

  test("bytea arrives as a Buffer that owns no more than its bytes show", async () => {
    const [row] = await select("select '\\x00ff'::bytea as value");
    assert.ok(Buffer.isBuffer(row?.["value"]));
  });

  test("counts and sums of int8 have the types of PostgreSQL: bigint and numeric", async () => {
    const [row] = await select(
      "select count(*) as count, sum(v) as sum from (values (1::int8), (2)) as t (v)",
    );
    assert.deepStrictEqual(row, { count: 2n, sum: "3" });
  });

  test("a large value survives both ways", async () => {
    const text = "0123456789abcdef".repeat(256 * 1024);
    const [row] = await select("select $1::text as value, length($1::text) as length", [text]);
    assert.equal(row?.["length"], text.length);
    assert.equal(row["value"], text);
  });

  test("many rows arrive complete and in order", async () => {
    const rows = await select(
      "select n, repeat('x', 100) as filler from generate_series(1, 20000) as n order by n",
    );
    assert.equal(rows.length, 20_000);
    assert.equal(rows.at(-1)?.["n"], 20_000);
  });

  test("constraint violations keep the driver's code and the connection stays usable", async () => {
    await select("create table once (id int8 primary key)");
    await select("insert into once values ($1)", [1n]);
    await assert.rejects(select("insert into once values ($1)", [1n]), {
      code: "23505",
      constraint: "once_pkey",
    });
    await assert.rejects(select("insert into once values ('x'::text::int8)"), { code: "22P02" });
    await assert.rejects(select("selec 1"), { code: "42601" });
    assert.deepEqual(await select("select id from once"), [{ id: 1n }]);
  });

  test("a transaction is committed as a whole or not at all", async () => {
    const { kysely } = database;
    await select("create table whole (id int8 primary key)");
    await assert.rejects(
      kysely.transaction().execute(async (transaction) => {
        await sql`insert into whole values (1)`.execute(transaction);
        await sql`insert into whole values (1)`.execute(transaction);
      }),
      { code: "23505" },
    );
    await kysely.transaction().execute(async (transaction) => {
      await sql`insert into whole values (2)`.execute(transaction);
    });
    assert.deepEqual(await select("select id from whole"), [{ id: 2n }]);
  });

  test("statements of others never get into an open transaction", async () => {
    await select("create table apart (id int8 primary key, note text)");
    const insert = { name: "apart", text: "insert into apart values ($1, $2)" };
    let others: Promise<unknown> = Promise.resolve();
    await assert.rejects(
      database.kysely.transaction().execute(async (transaction) => {
        await sql`insert into apart values (0, 'inside')`.execute(transaction);
        others = Promise.all([1n, 2n, 3n].map((id) => database.run(insert, [id, "outside"])));
        // A round trip, so that the others had their chance.
        await sql`select 1`.execute(transaction);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    await others;
    assert.deepEqual(await select("select id from apart order by id"), [{ id: 1n }, { id: 2n }, { id: 3n }]);
  });

  test("a hundred statements at once are all answered, each with its own answer", async () => {
    const statement = { name: "echo", text: "select $1::int4 as value" };
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => database.run(statement, [index])),
    );
    assert.deepEqual(
      answers.map(([row]) => row?.["value"]),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  test("the schema of the tables is there and Kysely reads and writes it", async () => {
    const { kysely } = database;
    await kysely.insertInto("accounts").values({ id: "acc_1", name: "one", plan: "free" }).execute();
    const account = await kysely.selectFrom("accounts").selectAll().executeTakeFirstOrThrow();
    assert.equal(account.name, "one");
    assert.ok(account.created_at instanceof Date);
    const result = await kysely.updateTable("accounts").set({ name: "two" }).executeTakeFirstOrThrow();
    assert.equal(result.numUpdatedRows, 1n);
  });
}

describe("embedded", () => {
  let directory: string;
  homeTests(async () => {
    directory = await freshDataDirectory("without tables");
    return openDatabase({ directory, log: silentLog });
  });
  after(() => rm(directory, { recursive: true, force: true }));
});

describe("PostgreSQL", { skip: skipped }, () => {
  homeTests(async () => {
    assert.ok(!("skipped" in postgres));
    return openDatabase({ databaseUrl: await postgres.freshDatabase(), directory: "unused", log: silentLog });
  });
});
