import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { sql } from "kysely";
import { Problem } from "../../core/problems.ts";
import { DatabaseUnavailable } from "../../storage/database.ts";
import { openHome } from "../../ledger/ledger-homes.test-support.ts";
import { cancelRun } from "./cancel-run.ts";
import { engineHouse, madeOf } from "./engine-runs.test-support.ts";
import type { RunChange, RunStore } from "./run-store.ts";
import { problemOf, shownJob, statusOf } from "./run-view.ts";

const home = await openHome("embedded");
if (typeof home === "string") throw new Error(home);

/** A store that refuses every result, as a database does that cannot hold it. */
function refusing(store: RunStore): RunStore {
  return new Proxy(store, {
    get(target, name: keyof RunStore) {
      if (name !== "change") return target[name].bind(target);
      return (...[hold, change, event]: Parameters<RunStore["change"]>) =>
        change.output === undefined
          ? target.change(hold, change, event)
          : Promise.reject(new Error("unsupported Unicode escape sequence"));
    },
  });
}

/** A store before which the database is away for the first of each of these writes: half of them take effect all the same. */
function breaking(store: RunStore, ...names: (keyof RunStore)[]): RunStore {
  const broken = new Set<string>();
  return new Proxy(store, {
    get(target, name: keyof RunStore) {
      if (!names.includes(name)) return target[name].bind(target);
      return async (...given: never[]) => {
        const act = (): unknown => Reflect.apply(target[name], target, given);
        const step = `${name} ${JSON.stringify((given[1] as RunChange | undefined)?.state)}`;
        if (broken.has(step)) return act();
        broken.add(step);
        if (broken.size % 2 === 0) await act();
        throw new DatabaseUnavailable(new Error("Connection terminated"));
      };
    },
  });
}

/** An engine that works until it is told to stop, and says when it began. */
function busyEngine() {
  const begun = Promise.withResolvers<void>();
  return {
    begun: begun.promise,
    run: ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        begun.resolve();
      }),
  };
}

describe("runs by engines", () => {
  after(() => home.close());

  test("what an engine read is shown with U+FFFD for characters that no database keeps", async () => {
    const { begin, keeper, read } = engineHouse(home, {
      run: () => Promise.resolve(madeOf({ "te\0xt": ["a\0b", { half: "x\ud800y" }] })),
    });
    const { id } = await begin();
    await keeper.whenOver(id);
    const row = await read(id);
    assert.deepEqual([row.state, row.ending], ["over", "done"]);
    assert.deepEqual(row.output, { "te\ufffdxt": ["a\ufffdb", { half: "x\ufffdy" }] });
  });

  test("a result that the database refuses ends the run at once as our fault, and costs nothing", async () => {
    const { begin, keeper, read } = engineHouse(home, {
      run: () => Promise.resolve(madeOf({ text: "x" })),
      store: refusing,
    });
    const { id } = await begin();
    await keeper.whenOver(id);
    const row = await read(id);
    assert.deepEqual([row.state, row.ending, row.cost], ["over", "failed", 0n]);
    assert.equal(problemOf(row)?.code, "internal_error");
  });

  test("a run that an engine works on is running, says that it was accepted, and can be called off", async () => {
    const engine = busyEngine();
    const { begin, house, keeper, read } = engineHouse(home, engine);
    const { id } = await begin();
    await engine.begun;
    const running = await read(id);
    assert.equal(statusOf(running), "running");
    assert.deepEqual(
      (await house.store.events(id, 0)).map(({ kind }) => kind),
      ["accepted"],
    );
    const query = { accountId: running.account_id, mode: running.mode, limit: 200 };
    const listed = async (status: "queued" | "running") =>
      (await house.store.list({ ...query, status })).some((row) => row.id === id);
    assert.deepEqual([await listed("queued"), await listed("running")], [false, true]);
    const canceled = await cancelRun(running, house, keeper);
    await keeper.whenOver(id);
    const { status, error_code: code } = shownJob(canceled);
    assert.deepEqual([status, code, canceled.cost], ["canceled", "canceled", 0n]);
    const stored = shownJob(await read(id));
    assert.deepEqual(shownJob(canceled), stored);
  });

  test("an engine that acts on the world is not called off, and the answer says where its result will be", async () => {
    const engine = busyEngine();
    const { begin, house, keeper, read } = engineHouse(home, { ...engine, hasSideEffects: true });
    const { id } = await begin();
    await engine.begun;
    const running = await read(id);
    assert.equal(statusOf(running), "running");
    await assert.rejects(cancelRun(running, house, keeper), (error) => {
      assert.ok(error instanceof Problem && error.code === "conflict");
      assert.match(error.message, /handed/);
      assert.ok(error.message.includes(`/v1/job/${id}`));
      return true;
    });
    await keeper.takeOver(id, ["submitting"], (row) => Promise.resolve(row));
  });

  test("a database that is away for a moment, at whatever step of a run, costs neither its result nor a second end", async () => {
    const { begin, keeper, read, house } = engineHouse(home, {
      run: () => Promise.resolve(madeOf({ text: "made" })),
      store: (store) => breaking(store, "change", "end"),
    });
    const { id } = await begin();
    await keeper.whenOver(id);
    const row = await read(id);
    assert.deepEqual([row.state, row.ending, row.output], ["over", "done", { text: "made" }]);
    const kinds = (await house.store.events(id, 0)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["accepted", "done"]);
  });

  test("a stop while the database is away gives nothing back, and is a stop all the same", async () => {
    const engine = busyEngine();
    const store = (own: RunStore) => breaking(own, "letGo");
    const { begin, keeper } = engineHouse(home, { ...engine, store, hasSideEffects: true });
    const { id } = await begin();
    await engine.begun;
    await keeper.takeOver(id, ["submitting"], (row) => Promise.resolve(row));
    await keeper.stop();
  });

  test("a run whose lease ran out while its process drives it goes on there, and is not taken for one that died", async () => {
    const go = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { begin, keeper, read } = engineHouse(home, {
      run: async () => {
        begun.resolve();
        await go.promise;
        return madeOf({ text: "made" });
      },
    });
    const { id } = await begin();
    await begun.promise;
    // As when the database was away for longer than a lease lasts.
    await home.database.kysely
      .updateTable("runs")
      .set({ lease_until: sql`timestamptz 'epoch'` })
      .where("id", "=", id)
      .execute();
    await keeper.start([]);
    go.resolve();
    await keeper.whenOver(id);
    await keeper.stop();
    const row = await read(id);
    assert.deepEqual([row.state, row.ending, row.problem], ["over", "done", null]);
  });

  test("a run that was called off on another node is let go of where it was worked on", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const engine = busyEngine();
    const { begin, keeper, read } = engineHouse(home, engine);
    const other = engineHouse(home, engine);
    await keeper.start([]);
    const { id } = await begin();
    await engine.begun;
    await cancelRun(await read(id), other.house, other.keeper);
    t.mock.timers.tick(5_000);
    await keeper.whenOver(id);
    assert.equal(statusOf(await read(id)), "canceled");
    await keeper.stop();
  });

  for (const [hasSideEffects, code] of [
    [false, "internal_error"],
    [true, "outcome_unknown"],
  ] as const)
    test(`an engine's run whose process died is ${code} where it ${hasSideEffects ? "acts" : "does not act"} on the world`, async () => {
      const engine = busyEngine();
      const first = engineHouse(home, { ...engine, hasSideEffects });
      const { id } = await first.begin();
      await engine.begun;
      const taken = await first.house.store.takeOver(id, ["submitting", "waiting"]);
      assert.ok(taken !== undefined);
      const offers = first.model.offers.map((offer) => ({
        ...offer,
        line: { engine: { ...engine, name: "test", missing: () => undefined } },
      }));
      await first.keeper.drive({ row: taken, model: first.model, offers, mayFallBack: false });
      const row = await first.read(id);
      assert.deepEqual([row.state, problemOf(row)?.code, row.cost], ["over", code, 0n]);
      assert.doesNotMatch(problemOf(row)?.message ?? "", /connection|provider/);
    });
});
