import { closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { newId } from "./core/ids.ts";
import { isJsonObject } from "./core/json-object.ts";
import { lockDirectory } from "./storage/directory-lock.ts";

/** Who this process is among those that share a database. */
export type NodeIdentity = {
  readonly nodeId: string;
  /**
   * The process that had this data directory before: it is dead, or its lock would have refused us. Nobody, where the
   * directory may be a copy: whom it names may live elsewhere, and is left to show by its silence that it does not.
   */
  readonly deadNodes: readonly string[];
  release(): void;
};

/**
 * Takes the data directory. With PostgreSQL a directory that is taken only means that another node lives here; the
 * embedded database belongs to one process.
 */
export async function takeDirectory(directory: string, isShared: boolean): Promise<NodeIdentity> {
  const nodeId = newId("node");
  try {
    const lock = await lockDirectory(directory);
    const path = join(directory, "node-id");
    const before = nodeBefore(path);
    write(path, nodeId);
    return { nodeId, deadNodes: before === undefined ? [] : [before], release: () => lock.release() };
  } catch (error) {
    if (!isShared) throw error;
    return { nodeId, deadNodes: [], release: () => undefined };
  }
}

/** The id, and where its file was when it was written. */
function write(path: string, nodeId: string): void {
  const file = openSync(path, "w");
  try {
    writeFileSync(file, JSON.stringify({ id: nodeId, ...placeOf(fstatSync(file)) }));
  } finally {
    closeSync(file);
  }
}

/** Undefined also where the file is not surely the very one that was written here. */
function nodeBefore(path: string): string | undefined {
  try {
    const { id, boot, device, inode }: Record<string, unknown> = objectIn(readFileSync(path, "utf8"));
    const now = placeOf(statSync(path));
    const isSame = boot !== undefined && boot === now.boot && device === now.device && inode === now.inode;
    return isSame && typeof id === "string" ? id : undefined;
  } catch {
    return undefined;
  }
}

function objectIn(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return isJsonObject(value) ? value : {};
}

/**
 * A copy of a file has another inode, or lies on another device; a copied machine has both alike, and was started by
 * itself. A name of the machine tells nothing: a container has a new one at each start, and machines of one image share
 * theirs.
 */
function placeOf({ dev: device, ino: inode }: Stats) {
  return { boot: bootId(), device, inode };
}

/** Undefined where there is no /proc. */
function bootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}
