import type { ChatRequest } from "../../core/chat.ts";
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
export function takenParts(member: string, request: ChatRequest, target: Target): TakenParts | undefined {
  const { extraParameters } = target;
  if (!hasParts(member, extraParameters)) return undefined;
  const missed: string[] = [];
  const taken = partsOf(request[member], member, { extraParameters, missed });
  return { text: taken === undefined ? undefined : JSON.stringify(taken), missed };
}

/** By the names that a provider takes, which are the same for every request: all places that lie above one of them. */
const knownHolders = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

function hasParts(path: string, extraParameters: ReadonlySet<string>): boolean {
  let holders = knownHolders.get(extraParameters);
  if (holders === undefined) {
    holders = new Set(Array.from(extraParameters).flatMap(placesAbove));
    knownHolders.set(extraParameters, holders);
  }
  return holders.has(path);
}

/** `a.b.c` lies in `a` and in `a.b`. */
function placesAbove(name: string): readonly string[] {
  const parts = name.split(".");
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join("."));
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
