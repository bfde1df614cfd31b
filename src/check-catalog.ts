import { join, resolve } from "node:path";
import { inputFaults } from "./calls/runs/input-faults.ts";
import { FaultyCatalog, loadCatalog } from "./catalog/load.ts";
import type { CatalogSources } from "./catalog/load.ts";
import { countFiles } from "./catalog/read-files.ts";
import type { CheckedCatalog } from "./cli/cli-house.ts";
import { chatWires } from "./providers/registry.ts";
import { endpointFaults } from "./providers/declared/compile-endpoint.ts";

/** The data with all that checks it. What lies in a trusted folder is not looked at so closely. */
export function checkedSources(
  directories: readonly string[],
  { trusted }: { readonly trusted?: string | undefined },
): CatalogSources {
  return {
    directories,
    wires: [...chatWires.keys()],
    runChecks: { trusted, ofEndpoint: endpointFaults, ofInputs: inputFaults },
  };
}

/** What a server would say of the built-in data with that of a folder over it. */
export function checkCatalog(folder: string | undefined): CheckedCatalog {
  const builtIn = join(import.meta.dirname, "..", "catalog");
  const directories = folder === undefined ? [builtIn] : [builtIn, resolve(folder)];
  const files = countFiles(directories.at(-1) ?? builtIn);
  try {
    const trusted = folder === undefined ? undefined : builtIn;
    const catalog = loadCatalog(checkedSources(directories, { trusted }));
    return { files, models: catalog.models.length, providers: catalog.providers.length, faults: [] };
  } catch (error) {
    if (!(error instanceof FaultyCatalog)) throw error;
    return { files, models: 0, providers: 0, faults: error.faults };
  }
}
