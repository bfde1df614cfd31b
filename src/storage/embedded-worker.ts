import { parentPort, workerData } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import type { EmbeddedWorkerData, FromWorker, ToWorker } from "./embedded-messages.ts";
import { makeDurably, openDurably } from "./embedded-files.ts";
import type { DurableFilesystem } from "./durable-filesystem.ts";

type Opened = { readonly database: PGlite; readonly filesystem: DurableFilesystem };

if (parentPort === null) throw new Error("this file is the thread of the embedded database");
const port = parentPort;

function send(message: FromWorker): void {
  port.postMessage(message);
}

function die(error: unknown): never {
  send({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  // In a worker this ends the thread only, at once and past every catch.
  process.exit(1);
}

async function start(): Promise<void> {
  const { directory } = workerData as EmbeddedWorkerData;
  if (await makeDurably(directory, die)) {
    send({ kind: "made" });
    return;
  }
  const opened = await openDurably(directory, die);
  let last: Promise<void> = Promise.resolve();
  port.on("message", (message: ToWorker) => {
    last = last.then(() => answer(opened, message)).catch(die);
  });
  send({ kind: "ready" });
}

async function answer({ database, filesystem }: Opened, message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "protocol":
      send({ kind: "answer", bytes: await protocolAnswer(database, message.bytes) });
      return;
    case "session":
      if (database.isInTransaction()) await database.exec("rollback");
      await database.exec("discard all");
      send({ kind: "session" });
      return;
    case "count":
      send({ kind: "count", fsyncs: filesystem.fsyncs });
      return;
    case "close":
      await database.close();
      send({ kind: "closed" });
      port.close();
  }
}

/** The answer lies in PostgreSQL's memory only until the call returns, so it is copied. */
async function protocolAnswer(database: PGlite, bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await database.execProtocolRawStream(bytes, { onRawData: (part) => parts.push(part.slice()) });
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

await start().catch(die);
