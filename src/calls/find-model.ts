import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import { Problem } from "../core/problems.ts";

/** The model of this name, if there is one and the key may call it. */
export function findModel(name: string, caller: Caller, catalog: Catalog): Found {
  const found = catalog.find(name);
  if (found === undefined) throw unknownModel(name, catalog);
  refuseForbidden(caller, found);
  return found;
}

function refuseForbidden(caller: Caller, { model }: Found): void {
  if (caller.models === undefined) return;
  const names = new Set(
    [model.id, ...model.aliases.map((alias) => alias.id)].map((name) => name.toLowerCase()),
  );
  if (caller.models.some((allowed) => names.has(allowed.toLowerCase()))) return;
  throw new Problem("model_not_allowed", { param: "model" });
}

function unknownModel(name: string, catalog: Catalog): Problem {
  const near = catalog.near(name, 3);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new Problem("model_not_found", {
    param: "model",
    message: `There is no such model.${hint} See GET /v1/models.`,
  });
}
