import { createHash, randomBytes } from "node:crypto";
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { openEmbedded } from "../../src/storage/embedded.ts";
import { readMigrations } from "../../src/storage/migrate.ts";
import type { Migration } from "../../src/storage/migrate.ts";

/**
 * A new data directory that already holds an embedded database, with our tables or still without: a copy of one that is
 * built once per machine, which saves each test the three seconds of a first start. Opening it makes tables that are
 * missing.
 */
export async function freshDataDirectory(
  tables: "with tables" | "without tables" = "with tables",
): Promise<string> {
  const migrations = tables === "with tables" ? await readMigrations() : [];
  const name = `skillboss-embedded-${fingerprint(migrations)}-${process.getuid?.() ?? 0}`;
  const template = join(tmpdir(), name);
  if (!existsSync(template)) await buildTemplate(template, migrations);
  const directory = await mkdtemp(join(tmpdir(), "skillboss-data-"));
  copyDatabase(template, directory);
  return directory;
}

/**
 * `template1` and `template0`, three fifths of the files: nobody connects to them, so PostgreSQL writes none of their
 * files (a test holds it), and all copies may share them.
 */
export const neverOpened: ReadonlySet<string> = new Set(["database/base/1", "database/base/4"]);

/** At once and not by `cp`, which takes four times the processor's time for so many small files. */
function copyDatabase(template: string, directory: string, folder = ""): void {
  const put = neverOpened.has(folder) ? linkSync : copyFileSync;
  for (const entry of readdirSync(join(template, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      mkdirSync(join(directory, path), { mode: 0o700 });
      copyDatabase(template, directory, path);
    } else put(join(template, path), join(directory, path));
  }
}

async function buildTemplate(template: string, migrations: readonly Migration[]): Promise<void> {
  const draft = `${template}.${randomBytes(6).toString("hex")}`;
  const settings = { directory: draft, migrations, log: silentLog, clock: systemClock };
  await (await openEmbedded(settings)).close();
  try {
    await rename(draft, template);
  } catch (error) {
    // Another test process was faster.
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(template)) throw error;
  }
}

/** Of all that decides how a database is made, so that a change of it makes a new template. */
function fingerprint(migrations: readonly Migration[]): string {
  const hash = createHash("sha256").update(JSON.stringify(migrations));
  const sources = ["migrate.ts", "durable-filesystem.ts", "embedded-files.ts"];
  for (const name of sources)
    hash.update(readFileSync(new URL(`../../src/storage/${name}`, import.meta.url)));
  const lockFile = readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8");
  hash.update(lockFile.match(/"node_modules\/@electric-sql\/pglite": \{[^}]*/)?.[0] ?? lockFile);
  return hash.digest("hex").slice(0, 16);
}
