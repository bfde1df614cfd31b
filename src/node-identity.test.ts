import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { takeDirectory } from "./node-identity.ts";

const skip =
  !existsSync("/proc/sys/kernel/random/boot_id") && "no start of this machine is told from another";
const home = mkdtempSync(join(tmpdir(), "skillboss-node-"));
after(() => rmSync(home, { recursive: true, force: true }));

/** Lives in the directory for a moment. */
async function liveIn(directory: string) {
  const identity = await takeDirectory(directory, true);
  identity.release();
  return identity;
}

async function used(name: string) {
  const directory = join(home, name);
  const { nodeId } = await liveIn(directory);
  return { directory, nodeId, path: join(directory, "node-id") };
}

test("who had a data directory before is dead, also for the one after the next", { skip }, async () => {
  const { directory, nodeId } = await used("again");
  const next = await liveIn(directory);
  assert.deepEqual(next.deadNodes, [nodeId]);
  assert.deepEqual((await liveIn(directory)).deadNodes, [next.nodeId]);
  assert.notEqual(next.nodeId, nodeId);
});

test("whom a copied data directory names may live where it was copied from", async () => {
  const { directory } = await used("original");
  const copy = join(home, "copy");
  cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
  assert.deepEqual((await liveIn(copy)).deadNodes, []);
});

test("so may who is named on a copied machine, which was started by itself", async () => {
  const { directory, path } = await used("image");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/"boot":"[^"]+"/, '"boot":"another start"'));
  assert.deepEqual((await liveIn(directory)).deadNodes, []);
});

test("a file that was torn, or written by an earlier version, names nobody", async () => {
  const { directory, path } = await used("torn");
  for (const text of ["", '{"id":"node_', "node_019ac0b1c2d3e4f5", "null"]) {
    writeFileSync(path, text);
    assert.deepEqual((await liveIn(directory)).deadNodes, [], text);
  }
});
