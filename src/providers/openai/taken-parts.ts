import { isJsonObject } from "../../core/json-object.ts";
import type { Target } from "../wire.ts";

/** What a provider takes of a member of which it takes parts only, such as `extra_body.google.thinking_config`. */
export type TakenParts = {
  /** Undefined where it takes nothing of it. */
  readonly text: string | undefined;
  /** The places of the rest. */
  readonly missed: readonly string[];
};

/**
 * Undefined for a member that is taken whole or not at all. What is not named in the catalog is left out: providers have
 * tools and caches there that cost beside the tokens.
 */
export function takenParts(member: string, value: unknown, target: Target): TakenParts | undefined {
  const { extraParameters } = target;
  if (!hasParts(member, extraParameters)) return undefined;
  const missed: string[] = [];
  const taken = partsOf(value, member, { extraParameters, missed });
  return { text: taken === undefined ? undefined : JSON.stringify(taken), missed };
}

function hasParts(path: string, extraParameters: ReadonlySet<string>): boolean {
  for (const name of extraParameters) if (name.startsWith(`${path}.`)) return true;
  return false;
}

type Taking = Pick<Target, "extraParameters"> & { readonly missed: string[] };

function partsOf(value: unknown, path: string, taking: Taking): unknown {
  if (taking.extraParameters.has(path)) return value;
  if (!isJsonObject(value) || !hasParts(path, taking.extraParameters)) {
    if (value !== null) taking.missed.push(path);
    return undefined;
  }
  const parts = Object.entries(value)
    .map(([name, part]) => [name, partsOf(part, `${path}.${name}`, taking)] as const)
    .filter(([, part]) => part !== undefined);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}
