import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Variables with which a gateway asks this name server and no other. */
export function asksNamesAt(server: string): Readonly<Record<string, string>> {
  const preload = pathToFileURL(join(import.meta.dirname, "asks-test-names.ts")).href;
  return { NODE_OPTIONS: `--import=${preload}`, TEST_NAME_SERVER: server };
}
