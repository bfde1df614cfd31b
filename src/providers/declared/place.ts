import type { Expression } from "../../core/endpoint.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { each, valueAt } from "./value-path.ts";
import type { Step, ValuePath } from "./value-path.ts";

/** What is wrong with an endpoint's data, and where: `request.body.voice.$default[1]`. */
export type EndpointFault = { readonly path: string; readonly message: string };

/** What expressions read: inputs, env, answers…, by name. Plain JSON. */
export type Scope = JsonObject;

/** A compiled expression. Never throws, whatever the scope holds. */
export type Evaluate = (scope: Scope) => unknown;

/** A name that an operator gives to each item of a list. */
export type Variable = {
  /** Where the items come from, when that is a plain path. */
  readonly origin: ValuePath | undefined;
  isRead: boolean;
};

/** Where an expression stands, and what is known there. */
export type Place = {
  readonly path: string;
  readonly depth: number;
  /** The names of the scope. */
  readonly roots: ReadonlySet<string>;
  readonly variables: ReadonlyMap<string, Variable>;
  /** What may be marked here: files of an output, or files to be sent. */
  readonly marks: "none" | "files" | "uploads";
  /** Which parts of the scope the expression reads is added here. */
  readonly reads: ValuePath[];
  /** What is wrong is added here; compiling goes on. */
  readonly faults: EndpointFault[];
  readonly compile: (expression: Expression, place: Place) => Evaluate;
};

export function within(place: Place, step: string | number): Place {
  const added = typeof step === "number" ? `[${step}]` : `.${step}`;
  return { ...place, path: place.path + added, depth: place.depth + 1 };
}

export function missing(): undefined {
  return undefined;
}

/** Notes the fault; what is returned stands for the expression, so that the others are checked as well. */
export function faulty(place: Place, message: string): Evaluate {
  place.faults.push({ path: place.path, message });
  return missing;
}

export function compileMember(argument: Expression, step: string | number, place: Place): Evaluate {
  return place.compile(argument, within(place, step));
}

/** A path into the scope; notes that it is read. */
export function compilePath(path: ValuePath, place: Place): Evaluate {
  const [root, ...steps] = path;
  const variable = place.variables.get(root);
  if (variable === undefined && !place.roots.has(root)) {
    const known = [...place.roots, ...place.variables.keys()].join(", ");
    return faulty(place, `"${root}" is not known here; known are ${known}`);
  }
  if (variable !== undefined) variable.isRead = true;
  const read = variable === undefined ? path : withSteps(variable.origin, steps);
  if (read !== undefined) place.reads.push(read);
  return (scope) => valueAt(scope, path) ?? undefined;
}

/** The path from a root of the scope, undefined where a name on it stands for something computed. */
export function fromRoot([root, ...steps]: ValuePath, place: Place): ValuePath | undefined {
  const variable = place.variables.get(root);
  if (variable !== undefined) return withSteps(variable.origin, steps);
  return place.roots.has(root) ? [root, ...steps] : undefined;
}

export function itemsOf(list: ValuePath | undefined): ValuePath | undefined {
  return withSteps(list, [each]);
}

function withSteps(path: ValuePath | undefined, steps: readonly Step[]): ValuePath | undefined {
  return path === undefined ? undefined : [...path, ...steps];
}
