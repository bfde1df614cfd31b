import { parentPort, workerData } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import { openDurably } from "../../src/storage/embedded-files.ts";
import { DiskModel } from "./disk-model.ts";
import type { DiskOperation } from "./disk-model.ts";
import { recordDisk } from "./disk-recorder.ts";
import { seededRandom } from "./seeded-random.ts";

/** A moment of the recording to lose power at, and where to write what would be found afterwards. */
export type PowerLoss = {
  readonly seed: number;
  readonly image: string;
  readonly unsynced: "drop" | "tear";
  /** During the first start, during the work, or at an early commit with every later sync left out. */
  readonly moment: "first start" | "work" | "work without syncs";
};
export type Found = { readonly acknowledged: number };

type Acknowledged = { readonly kind: "acknowledged" };

/** How many commits go by before the first checkpoint: until then all that is new is in the log only. */
const quietCommits = 30;
const commits = 240;

const { directory } = workerData as { directory: string };
const recording: (DiskOperation | Acknowledged)[] = [];

function die(error: unknown): never {
  throw error;
}

async function work(opened: PGlite): Promise<void> {
  const random = seededRandom(7);
  await opened.exec(
    `create table account (id integer primary key, total bigint not null);
     create table entry (id integer primary key, amount bigint not null, filler text not null);
     insert into account values (1, 0);`,
  );
  for (let id = 1; id <= commits; id += 1) {
    const amount = Math.floor(random() * 1_000);
    const filler = "x".repeat(Math.floor(random() * 1_500));
    await opened.transaction(async (transaction) => {
      await transaction.query("insert into entry values ($1, $2, $3)", [id, amount, filler]);
      await transaction.query("update account set total = total + $1 where id = 1", [amount]);
    });
    recording.push({ kind: "acknowledged" });
    if (id < quietCommits) continue;
    if (random() < 0.04) await opened.exec("checkpoint");
    if (random() < 0.03) await opened.exec("vacuum analyze");
    if (random() < 0.05) await opened.exec("begin; update account set total = -1; rollback");
  }
}

function losePower({ seed, image, unsynced, moment }: PowerLoss): Found {
  const random = seededRandom(seed);
  const firstCommit = recording.findIndex(({ kind }) => kind === "acknowledged");
  const moments = {
    "first start": [0, firstCommit],
    work: [firstCommit + 1, recording.length],
    "work without syncs": [nthCommit(quietCommits - 1), nthCommit(quietCommits - 1) + 1],
  } as const;
  const [from, to] = moments[moment];
  const end = from + Math.floor(random() * (to - from));
  const disk = new DiskModel(random);
  let acknowledged = 0;
  for (const [index, operation] of recording.entries()) {
    if (index >= end) break;
    if (operation.kind === "acknowledged") acknowledged += 1;
    else if (operation.kind !== "sync" || moment !== "work without syncs" || index < firstCommit)
      disk.apply(operation);
  }
  disk.writeImage(image, unsynced);
  return { acknowledged };
}

function nthCommit(count: number): number {
  let seen = 0;
  return recording.findIndex(({ kind }) => kind === "acknowledged" && (seen += 1) === count) + 1;
}

if (parentPort === null) throw new Error("this file is a thread of the power-loss test");
const port = parentPort;
recordDisk(directory, (operation) => recording.push(operation));
const { database } = await openDurably(directory, die);
await work(database);
await database.close();
port.on("message", (loss: PowerLoss) => port.postMessage(losePower(loss)));
port.postMessage("recorded");
