/** A process with one busy worker, for the test that kills it: prints the worker's id and stays. */
import { writeSync } from "node:fs";
import { workerPool } from "./worker-pool.ts";
import type { WorkerCode } from "./worker-pool.ts";
import type { work } from "./worker-pool.test-work.ts";

const code: WorkerCode<typeof work> = { url: new URL("./worker-pool.test-work.ts", import.meta.url) };
const pool = workerPool({ workers: 1, timeoutMs: 60_000 });
const { signal } = new AbortController();

const id = await pool.run(code, { input: { kind: "worker" }, signal });
const looping = pool.run(code, { input: { kind: "loop" }, signal });
writeSync(1, `${String(id)}\n`);
await looping;
