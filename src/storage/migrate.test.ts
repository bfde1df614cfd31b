import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import type { Database } from "./database.ts";
import { openEmbedded } from "./embedded.ts";
import type { Migration } from "./migrate.ts";
import { readMigrations } from "./migrate.ts";
import { openPostgres } from "./postgres.ts";

const postgres = await startPostgres();
const skipped = "skipped" in postgres ? postgres.skipped : false;
after(async () => {
  if (!("skipped" in postgres)) await postgres.stop();
});

const shipped = await readMigrations();
const list = { name: "list", text: "select name from migrations order by name" };

const first: Migration = { name: "0001-first.sql", sql: "create table first (id int8);" };
/** More than one statement, a function body in dollar quotes with semicolons, and a comment. */
const withFunction: Migration = {
  name: "9001-function.sql",
  sql: `
    -- A comment; with a semicolon.
    create table doubled (value int8 not null);
    create function double(value int8) returns int8 language plpgsql as $$
    begin
      insert into doubled values (value * 2);
      return value * 2;
    end;
    $$;
  `,
};
const broken: Migration = {
  name: "9002-broken.sql",
  sql: "create table half (id int8); insert into no_such_table values (1);",
};

/** A home is one place that can be opened again and again with other migrations. */
type Home = (migrations: readonly Migration[]) => Promise<Database>;

async function opened<T>(opening: Promise<Database>, use: (database: Database) => Promise<T>): Promise<T> {
  const database = await opening;
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

function migrationTests(newHome: (context: TestContext) => Promise<Home>): void {
  test("applies each migration once, also when opened again", async (context) => {
    const open = await newHome(context);
    for (let time = 0; time < 2; time += 1) {
      const rows = await opened(open(shipped), (database) => database.run(list, []));
      assert.deepEqual(
        rows,
        shipped.map(({ name }) => ({ name })),
      );
    }
  });

  test("applies what is new to a database that is behind, with functions in dollar quotes", async (context) => {
    const open = await newHome(context);
    await opened(open([first]), () => Promise.resolve());
    await opened(open([first, withFunction]), async (database) => {
      const [row] = await database.run({ name: "double", text: "select double($1) as value" }, [21n]);
      assert.deepEqual(row, { value: 42n });
    });
  });

  test("a migration that fails leaves nothing of itself behind and can be mended", async (context) => {
    const open = await newHome(context);
    await assert.rejects(open([first, withFunction, broken]), { code: "42P01" });
    await opened(
      open([first, withFunction, { ...broken, sql: "create table half (id int8)" }]),
      async (database) => {
        const rows = await database.run(list, []);
        assert.deepEqual(rows.at(-1), { name: broken.name });
      },
    );
  });

  test("an account that a crash left without books has them after the update, and other books stay as they are", async (context) => {
    const open = await newHome(context);
    const before = shipped.filter(({ name }) => name < "0011");
    await opened(open(before), async ({ kysely }) => {
      const accounts = ["acc_half", "acc_whole"].map((id) => ({ id, name: id, plan: "free" as const }));
      await kysely.insertInto("accounts").values(accounts).execute();
      const books = { account_id: "acc_whole", mode: "live", available: 5n, grants: -5n } as const;
      await kysely.insertInto("books").values(books).execute();
    });
    await opened(open(shipped), async ({ kysely }) => {
      const books = kysely.selectFrom("books").select(["account_id", "mode", "available"]);
      assert.deepEqual(await books.orderBy("account_id").orderBy("mode").execute(), [
        { account_id: "acc_half", mode: "live", available: 0n },
        { account_id: "acc_half", mode: "test", available: 0n },
        { account_id: "acc_whole", mode: "live", available: 5n },
        { account_id: "acc_whole", mode: "test", available: 0n },
      ]);
    });
  });

  test("refuses a database that has a migration this build does not know", async (context) => {
    const open = await newHome(context);
    await opened(open([first, withFunction]), () => Promise.resolve());
    await assert.rejects(
      open([first]),
      /has the migration 9001-function\.sql, which this build does not know/,
    );
  });

  test("refuses a migration that was changed after it was applied", async (context) => {
    const open = await newHome(context);
    await opened(open([first, withFunction]), () => Promise.resolve());
    const changed = { ...withFunction, sql: `${withFunction.sql} ` };
    await assert.rejects(open([first, changed]), /9001-function\.sql was changed after it was applied/);
  });
}

test("the migrations of this build are numbered in their order, without a number twice", () => {
  const numbers = shipped.map(({ name }) => Number(name.slice(0, 4)));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

describe("embedded", () => {
  migrationTests(async (context) => {
    const directory = await freshDataDirectory("without tables");
    context.after(() => rm(directory, { recursive: true, force: true }));
    return (migrations) => openEmbedded({ directory, migrations, log: silentLog, clock: systemClock });
  });
});

describe("PostgreSQL", { skip: skipped }, () => {
  const newHome = async (): Promise<Home> => {
    assert.ok(!("skipped" in postgres));
    const databaseUrl = await postgres.freshDatabase();
    return (migrations) => openPostgres({ databaseUrl, migrations, log: silentLog });
  };
  migrationTests(newHome);

  test("a migration may take its time, whatever limits the database has for statements", async () => {
    const open = await newHome();
    const slow: Migration = { name: "9003-slow.sql", sql: "select pg_sleep(0.2);" };
    await opened(open([first]), async (database) => {
      const [row] = await database.run({ name: "own", text: "select current_database() as name" }, []);
      const text = `alter database ${String(row?.["name"])} set statement_timeout = 100`;
      await database.run({ name: "limit", text }, []);
    });
    await opened(open([first, slow]), async (database) => {
      assert.equal((await database.run(list, [])).length, 2);
    });
  });

  test("several nodes that start at once on an empty database take turns", async () => {
    const open = await newHome();
    const databases = await Promise.all(Array.from({ length: 4 }, () => open([...shipped, withFunction])));
    try {
      for (const database of databases) {
        const rows = await database.run(list, []);
        assert.equal(rows.length, shipped.length + 1);
      }
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
  });
});
