import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import type { Model } from "../core/model.ts";
import { Problem } from "../core/problems.ts";

/** The model of this name, if there is one and the key may call it. */
export function findModel(name: string, caller: Caller, catalog: Catalog): Found {
  const found = catalog.find(name);
  if (found === undefined) throw unknownModel("model", name, catalog);
  if (!mayCall(caller, found.model)) throw new Problem("model_not_allowed", { param: "model" });
  return found;
}

/** As the caller asked for it, so that nobody reads of a model that they never wrote; with what answers in its place. */
export function nameOf({ model, alias }: Found): string {
  if (alias === undefined) return model.id;
  return alias.kind === "successor" ? `${alias.id} (${model.id})` : alias.id;
}

/** A key may be bound to some models, by any of their names. */
export function mayCall(caller: Caller, model: Model): boolean {
  if (caller.models === undefined) return true;
  const names = new Set(
    [model.id, ...model.aliases.map((alias) => alias.id)].map((name) => name.toLowerCase()),
  );
  return caller.models.some((allowed) => names.has(allowed.toLowerCase()));
}

/** With the names most like it. */
export function unknownModel(param: string, name: string, catalog: Catalog): Problem {
  const near = catalog.near(name, 3);
  const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
  return new Problem("model_not_found", {
    param,
    message: `There is no such model.${hint} See GET /v1/models.`,
  });
}
