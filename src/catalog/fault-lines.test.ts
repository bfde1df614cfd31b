import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { withLines } from "./fault-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "catalog-lines-"));
after(() => rmSync(folder, { recursive: true }));

function linesOf(text: string, ...paths: readonly string[]): readonly (number | undefined)[] {
  const file = join(folder, "one.json");
  writeFileSync(file, text);
  return withLines(paths.map((path) => ({ file, path, fault: "is odd" }))).map(({ line }) => line);
}

test("a fault is at the line of what its path names, or of what is nearest above it", () => {
  const model = `{
  "id": "a",
  "offers": [
    { "provider": "p" },
    {
      "request": {
        "body": { "a.b": 1 }
      }
    }
  ]
}`;
  const paths = ["", "id", "offers[0].provider", "offers[1].request.body.a.b", "offers[1].price", "retail"];
  assert.deepEqual(linesOf(model, ...paths), [1, 2, 4, 7, 5, 1]);
});

test("what a row of a family was filled into is at the line of the template, unless the row has it", () => {
  const family = `{
  "family": "f",
  "model": {
    "offers": [
      { "output": 1 }
    ]
  },
  "rows": [
    { "path": "x" },
    { "path": "y" }
  ]
}`;
  const paths = ["rows[1].offers[0].output.text", "rows[1].path", "rows[1].retail", "rows[1]"];
  assert.deepEqual(linesOf(family, ...paths), [5, 10, 10, 10]);
});

test("a file that is no JSON has its fault where reading it ended; one that is gone has none", () => {
  assert.deepEqual(linesOf('{\n  "id": "a",\n  "name" "b"\n}', ""), [3]);
  const gone = join(folder, "gone.json");
  assert.deepEqual(withLines([{ file: gone, path: "id", fault: "?" }]), [
    { file: gone, path: "id", fault: "?" },
  ]);
});
