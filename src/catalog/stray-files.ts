import { readdirSync, statSync } from "node:fs";
import type { Dirent } from "node:fs";
import { join } from "node:path";
import { nearNames } from "./near-names.ts";
import type { Fault } from "./read-files.ts";

/** Where the files of a catalog lie. */
export const catalogFolders: readonly string[] = ["providers", "models", "families"];

const wanted = "providers/, models/ or families/";
/** More say no more, and the folder may be the whole disk by mistake. */
const mostStrays = 20;
const nearFolder = nearNames(catalogFolders.map((name) => [name, name]));

/** Facts that nobody would read, for they lie beside the folders that are read: a slip of the hand in a name. */
export function strayFaults(directory: string): readonly Fault[] {
  const faults: Fault[] = [];
  const entries = visibleIn(directory);
  const isThere = (name: string) => statSync(join(directory, name), { throwIfNoEntry: false }) !== undefined;
  if (entries.length > 0 && !catalogFolders.some(isThere))
    faults.push({ file: directory, path: "", fault: `nothing of a catalog is in it: want ${wanted}` });
  for (const entry of entries) {
    if (catalogFolders.includes(entry.name)) continue;
    const [near] = entry.isDirectory() ? nearFolder(entry.name, 1) : [];
    const hint = near === undefined ? "" : `; did you mean ${near}/?`;
    for (const file of jsonFilesAt(directory, entry)) {
      if (faults.length === mostStrays) return faults;
      faults.push({ file, path: "", fault: `is not read here: want it below ${wanted}${hint}` });
    }
  }
  return faults;
}

function* jsonFilesAt(directory: string, entry: Dirent): Generator<string> {
  const path = join(directory, entry.name);
  if (!entry.isDirectory()) {
    if (entry.name.endsWith(".json")) yield path;
    return;
  }
  for (const inner of visibleIn(path)) yield* jsonFilesAt(path, inner);
}

/** Editors, version control and Kubernetes keep what is theirs under names with a dot before them. */
function visibleIn(directory: string): readonly Dirent[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith("."))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    // What cannot be looked at is not read either way.
    return [];
  }
}
