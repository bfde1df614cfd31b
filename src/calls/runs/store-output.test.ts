import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { sql } from "kysely";
import type { EngineResult } from "../../engines/engine.ts";
import { fileLimits } from "../../files/file-limits.ts";
import type { FileStore } from "../../files/file-store.ts";
import { bodyOf } from "../../files/files-under-test.ts";
import { localFileStore } from "../../files/local-file-store.ts";
import { openHome } from "../../ledger/ledger-homes.test-support.ts";
import { cancelRun } from "./cancel-run.ts";
import type { DrivenRun } from "./driven-run.ts";
import { engineHouse } from "./engine-runs.test-support.ts";
import type { EngineHouse } from "./engine-runs.test-support.ts";
import type { SeenRun } from "./run-store.ts";
import { decide, settle } from "./settle-run.ts";

const home = await openHome("embedded");
if (typeof home === "string") throw new Error(home);
const directory = mkdtempSync(join(tmpdir(), "skillboss-outputs-"));
const local = localFileStore(directory);

const owner = { accountId: "acc_1", mode: "live" } as const;

function textFiles(...texts: readonly string[]): EngineResult {
  const files = texts.map((text) => ({ bytes: Buffer.from(text), contentType: "text/plain" }));
  return { output: { files: texts.map((_, index) => ({ $file: index })) }, files, usage: {} };
}

type Stubborn = Pick<FileStore, "put"> & Partial<Pick<FileStore, "remove">>;

function houseWith(
  result: EngineResult | Promise<never>,
  stubborn: FileStore["put"] | Stubborn,
): EngineHouse {
  const fileStore: FileStore = {
    open: (id, range) => local.open(id, range),
    remove: (id) => local.remove(id),
    close: () => undefined,
    ...(typeof stubborn === "function" ? { put: stubborn } : stubborn),
  };
  return engineHouse(home as Exclude<typeof home, string>, { run: async () => result, fileStore });
}

/** Begins a run, and nobody has to wait for the pauses between its tries. */
async function hurriedToItsEnd({ begin, keeper, read }: EngineHouse): Promise<SeenRun> {
  const { id } = await begin();
  const nudging = setInterval(() => void keeper.hurry(id), 5);
  await keeper.whenOver(id);
  clearInterval(nudging);
  return read(id);
}

describe("the files of a run", () => {
  after(async () => {
    await home.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("a store that was away for a while loses no result", async () => {
    let left = 5;
    const made = houseWith(textFiles("a"), (...args) => {
      left -= 1;
      return left >= 0 ? Promise.reject(new Error("away")) : local.put(...args);
    });
    const row = await hurriedToItsEnd(made);
    assert.deepEqual([row.state, row.ending, left], ["over", "done", -1]);
  });

  test("a database that answers but cannot write a file down loses no result", async () => {
    const { kysely } = home.database;
    await sql`create sequence tries`.execute(kysely);
    await sql`create function refuse() returns trigger language plpgsql as $$ begin
      if nextval('tries') <= 5 then raise exception 'no space left' using errcode = 'disk_full'; end if;
      return new;
    end $$`.execute(kysely);
    await sql`create trigger full_disk before insert on files for each row execute function refuse()`.execute(
      kysely,
    );
    const row = await hurriedToItsEnd(houseWith(textFiles("a"), (...args) => local.put(...args)));
    await sql`drop trigger full_disk on files`.execute(kysely);
    assert.deepEqual([row.state, row.ending, row.problem], ["over", "done", null]);
  });

  test("nobody has a file of a run that is not done, and a run that was called off leaves none", async () => {
    const second = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let puts = 0;
    const { begin, files, house, keeper, read } = houseWith(textFiles("a", "b"), async (...args) => {
      puts += 1;
      if (puts === 2) {
        second.resolve();
        await goOn.promise;
      }
      return local.put(...args);
    });
    const before = (await files.list({ ...owner, limit: 10 })).files.length;
    const { id } = await begin();
    await second.promise;
    const rows = await home.database.kysely
      .selectFrom("files")
      .select("id")
      .where("run_id", "=", id)
      .execute();
    assert.equal(rows.length, 2);
    for (const row of rows) await assert.rejects(files.read(row.id, owner), { code: "not_found" });
    const canceling = cancelRun(await read(id), house, keeper);
    goOn.resolve();
    assert.equal((await canceling).ending, "canceled");
    await keeper.whenOver(id);
    assert.equal((await files.list({ ...owner, limit: 10 })).files.length, before);
    assert.deepEqual(
      readdirSync(directory, { recursive: true }).filter((name) =>
        rows.some((row) => String(name).endsWith(row.id)),
      ),
      [],
    );
  });

  test("files that no result shows go all at once: one after the other they kept a stop from a store that hangs", async () => {
    const third = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const together = Promise.withResolvers<void>();
    const removed = new Set<string>();
    let puts = 0;
    const { begin, house, keeper, read } = houseWith(textFiles("a", "b", "c"), {
      put: async (...args) => {
        puts += 1;
        if (puts < 3) return local.put(...args);
        third.resolve();
        await goOn.promise;
        return local.put(...args);
      },
      remove: async (id) => {
        removed.add(id);
        if (removed.size === 3) together.resolve();
        await together.promise;
        await local.remove(id);
      },
    });
    const { id } = await begin();
    await third.promise;
    const canceling = cancelRun(await read(id), house, keeper);
    goOn.resolve();
    await canceling;
    const startedAt = performance.now();
    await keeper.whenOver(id);
    assert.ok(performance.now() - startedAt < 4_000, "each removal waited for the one before");
    assert.equal(removed.size, 3);
  });

  test("what a driver stored that died before it wrote the result down goes when another one ends the run", async () => {
    const { begin, files, house, model, read } = houseWith(new Promise<never>(() => undefined), (...args) =>
      local.put(...args),
    );
    const { id, plan } = await begin();
    const store = (text: string) =>
      files.store({ ...owner, limits: fileLimits[plan], runId: id, body: bodyOf(text) });
    const lost = await store("by the one that died");
    const row = await house.store.takeOver(id, ["submitting", "waiting"]);
    const [offer] = model.offers;
    assert.ok(row !== undefined && offer !== undefined);
    const kept = await store("by the one that ends it");
    const upload = await files.store({ ...owner, limits: fileLimits[plan], body: bodyOf("no result") });
    const ended = { estimated: false, isEmpty: false, attempts: 1, usage: {} };
    const output = { document: files.urlOf(kept, row.public_url) };
    const served = { ...offer, line: { engine: { name: "test", missing: () => undefined, run: noEngine } } };
    const driven: DrivenRun = {
      ...{ row, model, offers: [served], mayFallBack: false, made: [kept.id] },
      ...{ stopped: new AbortController().signal, taken: () => undefined, wait: () => Promise.resolve() },
    };
    assert.ok(await decide(driven, house, { ...ended, output, offer: served }));
    await settle(await read(id), house);
    await assert.rejects(files.read(lost.id, owner), { code: "not_found" });
    for (const { id: left } of [kept, upload]) await files.remove((await files.read(left, owner)).id, owner);
  });
});

const noEngine = () => Promise.reject(new Error("not asked"));
