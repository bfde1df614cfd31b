import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { EngineResult } from "../../engines/engine.ts";
import type { FileStore } from "../../files/file-store.ts";
import { localFileStore } from "../../files/local-file-store.ts";
import { openHome } from "../../ledger/ledger-homes.test-support.ts";
import { engineHouse } from "./engine-runs.test-support.ts";
import type { EngineHouse } from "./engine-runs.test-support.ts";

const home = await openHome("embedded");
if (typeof home === "string") throw new Error(home);
const directory = mkdtempSync(join(tmpdir(), "skillboss-outputs-"));
const local = localFileStore(directory);

function textFiles(...texts: readonly string[]): EngineResult {
  const files = texts.map((text) => ({ bytes: Buffer.from(text), contentType: "text/plain" }));
  return { output: { files: texts.map((_, index) => ({ $file: index })) }, files, usage: {} };
}

function houseWith(result: EngineResult, put: FileStore["put"]): EngineHouse {
  const fileStore: FileStore = {
    put,
    open: (id, range) => local.open(id, range),
    remove: (id) => local.remove(id),
    close: () => undefined,
  };
  return engineHouse(home as Exclude<typeof home, string>, { run: () => Promise.resolve(result), fileStore });
}

describe("the files of a run", () => {
  after(async () => {
    await home.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("a store that was away for a while loses no result", async () => {
    let left = 5;
    const { begin, keeper, read } = houseWith(textFiles("a"), (...args) => {
      left -= 1;
      return left >= 0 ? Promise.reject(new Error("away")) : local.put(...args);
    });
    const { id } = await begin();
    // Nobody has to wait for the pauses between.
    const nudging = setInterval(() => void keeper.hurry(id), 5);
    await keeper.whenOver(id);
    clearInterval(nudging);
    const row = await read(id);
    assert.deepEqual([row.state, row.ending, left], ["over", "done", -1]);
  });
});
