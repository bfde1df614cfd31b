/**
 * Many test files in one process, one after the other: starting a process and loading the house costs more than what most
 * files test.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";

const require = createRequire(import.meta.url);

/**
 * What awaits at its top level cannot be loaded within a suite; what changes the process would change it for those after
 * it; and long files are better spread over the processes that run at a time.
 */
const needsOwnProcess = /^\S.*\bawait |process\.(?:on|once|exit|kill|chdir)\(|\bmock\.|globalThis\.\w+ =/m;
const long = /\/(?:crash|idempotency-crash|jobs|power-loss|shutdown)\.test\.ts$/;

/** Test files as the test runner shall be given them: the light ones in `count` groups, the others as they are. */
export function inGroups(files: readonly string[], count: number): readonly string[] {
  const isAlone = (file: string): boolean =>
    long.test(file) || needsOwnProcess.test(readFileSync(file, "utf8"));
  const { alone = [], light = [] } = Object.groupBy(files, (file) => (isAlone(file) ? "alone" : "light"));
  const folder = mkdtempSync(join(tmpdir(), "skillboss-test-groups-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const groups = Array.from({ length: count }, (_, group) => {
    const path = join(folder, `group-${group + 1}.test.ts`);
    const members = light.filter((_file, index) => index % count === group).map((file) => resolve(file));
    writeFileSync(
      path,
      `import { runTogether } from ${JSON.stringify(import.meta.filename)};\nrunTogether(${JSON.stringify(members)});\n`,
    );
    return path;
  });
  return [...groups, ...alone];
}

/** Each file is a suite of its own, with its own hooks. */
export function runTogether(files: readonly string[]): void {
  for (const file of files) {
    void describe(file, () => {
      try {
        // Unlike `import()` it runs the file within the suite, so that its hooks are the suite's.
        require(file);
      } catch (error) {
        void test(`${file} can be loaded`, () => {
          throw error;
        });
      }
    });
  }
}
