import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { newId } from "../core/ids.ts";
import { contentOf, cut, storePromises } from "./file-store-battery.ts";
import type { FileStore } from "./file-store.ts";
import { localFileStore } from "./local-file-store.ts";

/** Below the folder, so that the store has to make it. */
let parent: string;
let directory: string;
let store: FileStore;

before(() => {
  parent = mkdtempSync(join(tmpdir(), "skillboss-files-"));
  directory = join(parent, "data", "files");
  store = localFileStore(directory);
});
after(() => rmSync(parent, { recursive: true, force: true }));

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const entries = async (): Promise<readonly string[]> => filesIn(parent);

describe("files in a folder", () => {
  for (const [sentence, check] of storePromises) test(sentence, () => check({ store, entries }));

  test("the first byte alone is a range too", async () => {
    const id = newId("file");
    await store.put(id, cut(Buffer.from("abc")), { maxBytes: 10 });
    assert.equal((await contentOf(store, id, { start: 0, end: 0 }))?.toString(), "a");
  });

  test("nobody but the server's user can read files and folders", async () => {
    const id = newId("file");
    await store.put(id, cut(Buffer.from("secret")), { maxBytes: 10 });
    const path = filesIn(directory).find((one) => one.endsWith(id)) ?? "";
    assert.equal(statSync(path).mode & 0o777, 0o600);
    for (let folder = join(path, ".."); folder !== parent; folder = join(folder, ".."))
      assert.equal(statSync(folder).mode & 0o777, 0o700, folder);
  });

  test("files that come one after the other are spread over folders", async () => {
    const shards = new Set(Array.from({ length: 40 }, () => newId("file").slice(-2)));
    const ids = Array.from({ length: 40 }, () => newId("file"));
    for (const id of ids) await store.put(id, cut(Buffer.from("x")), { maxBytes: 10 });
    const folders = new Set(filesIn(directory).map((path) => join(path, "..")));
    assert.ok(shards.size > 20 && folders.size > 20, `${folders.size} folders`);
  });

  test(
    "a reader that stops early, or never begins, leaves no file open",
    { skip: noDescriptors() },
    async () => {
      const id = newId("file");
      await store.put(id, cut(Buffer.alloc(3_000_000)), { maxBytes: 3_000_000 });
      const openFiles = (): number => readdirSync("/proc/self/fd").length;
      const atFirst = openFiles();
      for (let round = 0; round < 50; round += 1) {
        const opened = await store.open(id);
        assert.ok(opened !== undefined);
        for await (const _ of opened.body) break;
        (await store.open(id))?.body.destroy();
        await assert.rejects(store.open(id, { start: 3_000_000, end: 3_000_001 }), RangeError);
      }
      const giveUpAt = performance.now() + 10_000;
      while (openFiles() > atFirst + 5 && performance.now() < giveUpAt)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(openFiles() <= atFirst + 5, `${openFiles()} files are open, ${atFirst} were`);
    },
  );

  test("a put that is killed half way shows nothing, and removing the file removes what it left", async () => {
    const home = join(parent, "killed");
    const id = newId("file");
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "endless-put.test-process.ts"), home, id],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      await once(child.stdout, "data");
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    assert.deepEqual(
      filesIn(home).map((path) => path.endsWith(".part")),
      [true],
    );
    const after = localFileStore(home);
    assert.equal(await after.open(id), undefined);
    await after.remove(id);
    assert.deepEqual(filesIn(home), []);
    await after.put(id, cut(Buffer.from("again")), { maxBytes: 10 });
    assert.equal((await contentOf(after, id))?.toString(), "again");
  });
});

function noDescriptors(): string | false {
  return process.platform === "linux" ? false : "open files are counted on Linux only";
}
