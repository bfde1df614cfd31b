import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { sql } from "kysely";
import type { Found, PowerLoss } from "../../tests/support/power-loss-worker.ts";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import type { Database } from "./database.ts";
import { openEmbedded } from "./embedded.ts";

let folder: string;
let recorder: Worker;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "skillboss-power-"));
  recorder = new Worker(new URL("../../tests/support/power-loss-worker.ts", import.meta.url), {
    workerData: { directory: join(folder, "recorded") },
  });
  await once(recorder, "message");
});

after(async () => {
  await recorder.terminate();
  await rm(folder, { recursive: true, force: true });
});

type Survived = { readonly ids: readonly number[]; readonly total: bigint; readonly sum: bigint };

async function losePower(loss: Omit<PowerLoss, "image">): Promise<{ image: string; acknowledged: number }> {
  const image = join(folder, `${loss.moment.replaceAll(" ", "-")}-${loss.unsynced}-${loss.seed}`);
  recorder.postMessage({ ...loss, image } satisfies PowerLoss);
  const [found]: Found[] = await once(recorder, "message");
  assert.ok(found !== undefined);
  return { image, acknowledged: found.acknowledged };
}

function open(directory: string): Promise<Database> {
  return openEmbedded({ directory, migrations: [], log: silentLog, clock: systemClock });
}

async function afterPowerLoss(
  loss: Omit<PowerLoss, "image">,
): Promise<{ readonly acknowledged: number; readonly survived: Survived }> {
  const { image, acknowledged } = await losePower(loss);
  const database = await open(image);
  try {
    const entries = await sql<{ id: number }>`select id from entry order by id`.execute(database.kysely);
    const totals = await sql<{ total: bigint; sum: bigint }>`
      select (select total from account) as total, (select coalesce(sum(amount), 0)::int8 from entry) as sum
    `.execute(database.kysely);
    const [books] = totals.rows;
    assert.ok(books !== undefined);
    return { acknowledged, survived: { ids: entries.rows.map(({ id }) => id), ...books } };
  } finally {
    await database.close();
    await rm(image, { recursive: true, force: true });
  }
}

for (const [seed, unsynced] of [
  [1, "tear"],
  [2, "tear"],
  [3, "tear"],
  [4, "tear"],
  [5, "drop"],
] as const) {
  test(`a power loss (seed ${seed}, ${unsynced} what was not synced) loses no acknowledged row`, async () => {
    const { acknowledged, survived } = await afterPowerLoss({ seed, unsynced, moment: "work" });
    const { ids, total, sum } = survived;
    assert.deepEqual(
      ids,
      ids.map((_, index) => index + 1),
      "the rows have no gap",
    );
    // The one that was about to be acknowledged may be there as well.
    assert.ok(
      ids.length === acknowledged || ids.length === acknowledged + 1,
      `${ids.length} of ${acknowledged}`,
    );
    assert.equal(total, sum);
  });
}

test("the same model loses acknowledged rows when the syncs are left out, so it can tell", async () => {
  const { acknowledged, survived } = await afterPowerLoss({
    seed: 1,
    unsynced: "drop",
    moment: "work without syncs",
  });
  assert.ok(survived.ids.length < acknowledged, `${survived.ids.length} of ${acknowledged}`);
});

for (const [seed, unsynced] of [
  [11, "tear"],
  [12, "drop"],
] as const) {
  test(`a power loss in the first start (seed ${seed}, ${unsynced}) leaves a directory that starts`, async () => {
    const { image } = await losePower({ seed, unsynced, moment: "first start" });
    const database = await open(image);
    try {
      assert.deepEqual(await database.run({ name: "one", text: "select 1 as one" }, []), [{ one: 1 }]);
    } finally {
      await database.close();
      await rm(image, { recursive: true, force: true });
    }
  });
}
