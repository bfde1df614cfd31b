import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A path as it is, a name by the folders of `searchPath` (the form of PATH); undefined when nothing there can be run. */
export function findProgram(nameOrPath: string, searchPath: string): string | undefined {
  if (nameOrPath.includes("/")) return isProgram(nameOrPath) ? nameOrPath : undefined;
  const folders = searchPath.split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, nameOrPath)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
