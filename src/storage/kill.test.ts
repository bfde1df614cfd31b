import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freshDataDirectory } from "../../tests/support/embedded.ts";
import { seededRandom } from "../../tests/support/seeded-random.ts";

const script = fileURLToPath(new URL("../../tests/support/committing-process.ts", import.meta.url));

type Life = { readonly found: number; readonly lastFound: number; readonly lastAcknowledged: number };

/** One life of the committing process: killed as soon as it has acknowledged so many rows. */
async function liveAndKill(directory: string, commits: number): Promise<Life> {
  const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (part: Buffer) => (complaint += part.toString()));
  const closed = once(child, "close");
  let found: readonly [number, number] | undefined;
  let lastAcknowledged = 0;
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    const [word, first, second] = line.split(" ");
    if (word === "found") found = [Number(first), Number(second)];
    if (word !== "acknowledged") continue;
    lastAcknowledged = Number(first);
    acknowledged += 1;
    if (acknowledged === commits) child.kill("SIGKILL");
  }
  await closed;
  assert.ok(found !== undefined, `the process did not start: ${complaint}`);
  assert.equal(child.signalCode, "SIGKILL", complaint);
  return { found: found[0], lastFound: found[1], lastAcknowledged };
}

test(
  "ten times kill -9 during commits loses no acknowledged row and leaves no gap",
  { timeout: 300_000 },
  async () => {
    const directory = await freshDataDirectory("without tables");
    const random = seededRandom(1);
    try {
      let lastAcknowledged = 0;
      for (let life = 0; life <= 10; life += 1) {
        const commits = 1 + Math.floor(random() * 120);
        const now = await liveAndKill(directory, commits);
        assert.ok(now.lastFound >= lastAcknowledged, `life ${life}: ${now.lastFound} of ${lastAcknowledged}`);
        assert.equal(now.found, now.lastFound, "the rows have no gap");
        lastAcknowledged = now.lastAcknowledged;
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
);
