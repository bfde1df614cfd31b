import { join, resolve } from "node:path";
import { FaultyCatalog, loadCatalog } from "./catalog/load.ts";
import type { CheckedCatalog } from "./cli/cli-house.ts";
import { chatWires } from "./providers/registry.ts";
import { endpointFaults } from "./providers/declared/compile-endpoint.ts";

/** What a server would say of the built-in data with that of a folder over it. */
export function checkCatalog(folder: string | undefined): CheckedCatalog {
  const builtIn = join(import.meta.dirname, "..", "catalog");
  const directories = folder === undefined ? [builtIn] : [builtIn, resolve(folder)];
  try {
    const catalog = loadCatalog({ directories, wires: [...chatWires.keys()], faultsOf: endpointFaults });
    return { models: catalog.models.length, providers: catalog.providers.length, faults: [] };
  } catch (error) {
    if (!(error instanceof FaultyCatalog)) throw error;
    return { models: 0, providers: 0, faults: error.faults };
  }
}
