import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newId } from "../core/ids.ts";
import { mostWritingMs } from "./file-rows.ts";
import type { FileStore } from "./file-store.ts";
import { bodyOf, newOwner, openFiles } from "./files-under-test.ts";
import type { FilesUnderTest } from "./files-under-test.ts";

const hourMs = 3_600_000;
const owner = newOwner();
let house: FilesUnderTest;

before(async () => {
  const opened = await openFiles("embedded");
  assert.ok(typeof opened !== "string");
  house = opened;
});
after(() => house.close());

/** A store whose process dies at a step: the step and all that follow fail, as if they had never been asked. */
function dyingAt(step: "before removing" | "after removing" | "while putting"): FileStore {
  const died = new Error("killed");
  const { store } = house;
  return {
    open: (id, range) => store.open(id, range),
    close() {},
    async put(id, body, limits) {
      if (step !== "while putting") return store.put(id, body, limits);
      // The bytes are whole, and nobody comes back to say so.
      await store.put(id, body, limits);
      throw died;
    },
    async remove(id) {
      if (step === "after removing") await store.remove(id);
      throw died;
    },
  };
}

const limitsFor = (hours: number) => ({ maxBytes: 1000, lifetimeMs: hours * hourMs });
const put = (hours: number) =>
  house.files.store({ ...owner, limits: limitsFor(hours), body: bodyOf(`${hours} hours`) });

describe("the sweeping of files", () => {
  test("takes what has expired, bytes and row, and nothing else", async () => {
    const short = await Promise.all([put(1), put(1), put(1)]);
    const long = await put(3);
    assert.equal(await house.files.sweep(), 0);
    house.clock.turn({ milliseconds: hourMs - 1 });
    assert.equal(await house.files.sweep(), 0);
    house.clock.turn({ milliseconds: 1 });
    assert.equal(await house.files.sweep(), 3);
    assert.equal(await house.files.sweep(), 0);
    for (const { id } of short) assert.ok(!house.stored().includes(id));
    assert.deepEqual(house.stored(), [long.id]);
    assert.equal(await house.rowCount(), 1);
    await house.files.read(long.id, owner);
    await house.files.remove(long.id, owner);
  });

  for (const step of ["before removing", "after removing"] as const) {
    test(`a crash ${step} the bytes leaves nothing readable, and nothing for ever`, async () => {
      const file = await put(1);
      house.clock.turn({ milliseconds: hourMs });
      assert.equal(await house.again({ store: dyingAt(step) }).sweep(), 0);
      await assert.rejects(house.files.read(file.id, owner), { code: "not_found" });
      assert.equal(await house.rowCount(), 1);
      assert.equal(await house.files.sweep(), 1);
      assert.deepEqual([house.stored().length, await house.rowCount()], [0, 0]);
    });
  }

  test("a crash between a file's last byte and its row leaves nothing readable, and nothing for ever", async () => {
    const dying = house.again({ store: dyingAt("while putting") });
    await assert.rejects(dying.store({ ...owner, limits: limitsFor(1), body: bodyOf("x") }));
    assert.equal(house.stored().length, 1);
    assert.equal((await house.files.list({ ...owner, limit: 10 })).files.length, 0);
    house.clock.turn({ milliseconds: mostWritingMs - 1 });
    assert.equal(await house.files.sweep(), 0, "it could still be on its way");
    house.clock.turn({ milliseconds: 1 });
    assert.equal(await house.files.sweep(), 1);
    assert.deepEqual([house.stored().length, await house.rowCount()], [0, 0]);
  });

  test("a file on its way is not swept, however short the files of its account live", async () => {
    const body = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from("first");
      house.clock.turn({ milliseconds: 2 * hourMs });
      assert.equal(await house.files.sweep(), 0);
      yield Buffer.from("second");
    };
    const file = await house.files.store({ ...owner, limits: limitsFor(1), body: body() });
    assert.equal(file.expiresAt.getTime(), house.clock.now() + hourMs);
    assert.equal((await house.files.read(file.id, owner)).sizeBytes, 11);
    await house.files.remove(file.id, owner);
  });

  test("a file that arrives after its row was swept is refused, and leaves nothing", async () => {
    const body = async function* (): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from("late");
      house.clock.turn({ milliseconds: mostWritingMs });
      await house.database.kysely.deleteFrom("files").execute();
    };
    const late = house.files.store({ ...owner, limits: limitsFor(1), body: body() });
    await assert.rejects(late, { code: "service_unavailable" });
    assert.deepEqual(house.stored(), []);
  });

  test("files that cannot be removed do not keep the others from being removed", async () => {
    const files = await Promise.all(Array.from({ length: 205 }, () => put(1)));
    const stuck = new Set(files.slice(0, 3).map(({ id }) => id));
    house.clock.turn({ milliseconds: hourMs });
    const { store } = house;
    const stubborn: FileStore = {
      put: (id, body, limits) => store.put(id, body, limits),
      open: (id, range) => store.open(id, range),
      close() {},
      remove: (id) => (stuck.has(id) ? Promise.reject(new Error("stuck")) : store.remove(id)),
    };
    assert.equal(await house.again({ store: stubborn }).sweep(), 202);
    assert.equal(await house.files.sweep(), 3);
    assert.equal(await house.rowCount(), 0);
  });

  test("any number of files that cannot be removed does not keep those behind them for ever", async () => {
    const { store, database } = house;
    const due = (count: number) =>
      database.kysely
        .insertInto("files")
        .values(
          Array.from({ length: count }, () => ({
            ...{
              id: newId("file"),
              account_id: owner.accountId,
              mode: owner.mode,
              run_id: null,
              name: "stuck",
            },
            ...{ content_type: "text/plain", size_bytes: 1n, expires_at: new Date(house.clock.now()) },
          })),
        )
        .execute();
    await due(1_205);
    const stuck = await database.kysely.selectFrom("files").select("id").execute();
    const stuckIds = new Set(stuck.map(({ id }) => id));
    const tried: string[] = [];
    const stubborn: FileStore = {
      put: (id, body, limits) => store.put(id, body, limits),
      open: (id, range) => store.open(id, range),
      close() {},
      remove(id) {
        tried.push(id);
        return stuckIds.has(id) ? Promise.reject(new Error("stuck")) : store.remove(id);
      },
    };
    const files = house.again({ store: stubborn });
    const behind = await put(1);
    house.clock.turn({ milliseconds: hourMs });
    assert.equal(await files.sweep(), 0);
    assert.equal(tried.length, 1_000, "a store that is away is not asked for all that is due");
    assert.equal(await files.sweep(), 1);
    assert.equal(house.stored().includes(behind.id), false);
    assert.equal(await files.sweep(), 0);
    assert.equal(new Set(tried).size, 1_206);
    await database.kysely.deleteFrom("files").execute();
  });

  test("a store that never answers is waited for neither by a customer nor by who stops the server", async () => {
    const forEver = () => new Promise<never>(() => undefined);
    const { store } = house;
    const hanging: FileStore = {
      put: () => Promise.reject(new Error("away")),
      open: (id, range) => store.open(id, range),
      close() {},
      remove: forEver,
    };
    const files = house.again({ store: hanging, removalMs: 1 });
    const file = await put(1);
    await files.remove(file.id, owner);
    await assert.rejects(house.files.read(file.id, owner), { code: "not_found" });
    const upload = files.store({ ...owner, limits: limitsFor(1), body: bodyOf("x") });
    await assert.rejects(upload, { code: "service_unavailable" });
    files.startSweeping(hourMs);
    await files.stop();
    house.clock.turn({ milliseconds: mostWritingMs });
    assert.equal(await house.files.sweep(), 2);
    assert.equal(await house.rowCount(), 0);
  });

  test("goes on by itself from the start, and ends when it is told to", async () => {
    const sweeping = house.again();
    const file = await put(1);
    house.clock.turn({ milliseconds: hourMs });
    sweeping.startSweeping(20);
    const isGone = async (): Promise<boolean> => (await house.rowCount()) === 0;
    const giveUpAt = performance.now() + 20_000;
    while (!(await isGone()) && performance.now() < giveUpAt)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok((await isGone()) && !house.stored().includes(file.id));
    await sweeping.stop();
    const kept = await put(1);
    house.clock.turn({ milliseconds: hourMs });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(house.stored().includes(kept.id));
    assert.equal(await house.files.sweep(), 1);
  });
});
