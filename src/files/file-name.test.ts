import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { keptName, nameFor } from "./file-name.ts";

describe("names of files", () => {
  test("an ordinary name in any alphabet is kept as it is", () => {
    for (const name of [
      "a.png",
      "Größe 100%.txt",
      "報告書.pdf",
      "🎈 party.mp4",
      "no extension",
      ".gitignore",
      "a..b",
    ])
      assert.equal(keptName(name), name);
  });

  test("of a path only the last part is kept", () => {
    const cases: Readonly<Record<string, string>> = {
      "../../etc/passwd": "passwd",
      "C:\\Users\\ada\\photo.jpg": "photo.jpg",
      "folder/": "folder",
      "/a/b.txt": "b.txt",
      "a/../b": "b",
    };
    for (const [name, kept] of Object.entries(cases)) assert.equal(keptName(name), kept);
  });

  test("a name of which nothing is left is none", () => {
    for (const name of [undefined, "", "  ", "/", "..", ".", "\\\\", "\0", "\u202e", "a/.."]) {
      assert.equal(keptName(name), undefined);
    }
  });

  test("characters that control the terminal or turn the writing are left out", () => {
    assert.equal(keptName("inv\u202egnp.exe"), "invgnp.exe");
    assert.equal(keptName("a\r\nSet-Cookie: x\0\u009b.txt"), "aSet-Cookie: x.txt");
  });

  test("a long name keeps its extension", () => {
    const kept = keptName(`${"🎈".repeat(500)}.jpeg`) ?? "";
    assert.equal(Array.from(kept).length, 200);
    assert.ok(kept.endsWith("🎈.jpeg") && kept.isWellFormed());
  });

  test("whatever comes, a name that is kept can be stored, shown and kept again unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (name) => {
        const kept = keptName(name);
        if (kept === undefined) return;
        assert.ok(kept.length > 0 && kept.isWellFormed() && !/[\p{Cc}/\\]/u.test(kept));
        assert.ok(Array.from(kept).length <= 200);
        assert.equal(keptName(kept), kept);
      }),
      { numRuns: 2000 },
    );
  });

  test("a file without a name is called by its id and its kind", () => {
    assert.equal(nameFor("file_1", "image/png"), "file_1.png");
    assert.equal(nameFor("file_1", "application/octet-stream"), "file_1.bin");
  });
});
