import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "./core/ids.ts";
import { lockDirectory } from "./storage/directory-lock.ts";

/** Who this process is among those that share a database. */
export type NodeIdentity = {
  readonly nodeId: string;
  /** The process that had this data directory before: it is dead, or its lock would have refused us. */
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
    const before = read(path);
    writeFileSync(path, nodeId);
    return { nodeId, deadNodes: before === undefined ? [] : [before], release: () => lock.release() };
  } catch (error) {
    if (!isShared) throw error;
    return { nodeId, deadNodes: [], release: () => undefined };
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
