import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** As many characters as the variables that stand for such a file must have. */
const fewestCharacters = 32;

/**
 * The secret in a file (mode 0600), which is made when there is none. It is there whole or not at all, whenever the process
 * or the machine ends: keys follow from it, and those of an empty one are anybody's. Of several who make it one wins.
 */
export function secretIn(path: string, make: () => string): string {
  const found = readIfThere(path) ?? made(path, make());
  if (found.length < fewestCharacters)
    throw new Error(
      `The secret in ${path} has ${found.length} characters; want at least ${fewestCharacters}. ` +
        "Put the right one back, or remove the file and a new one is made at the next start.",
    );
  return found;
}

function made(path: string, secret: string): string {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: "wx", flush: true });
    // Unlike a rename it leaves alone what another process has made meanwhile.
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(dirname(path));
  return readIfThere(path) ?? "";
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
