import type { Expression } from "../../core/endpoint.ts";
import { hasValue, jsonObjectOf } from "./json-values.ts";
import { operators } from "./operators.ts";
import { isListOf } from "./operator-forms.ts";
import { compileMember, compilePath, faulty } from "./place.ts";
import type { EndpointFault, Evaluate, Place } from "./place.ts";
import { parsePath } from "./value-path.ts";
import type { ValuePath } from "./value-path.ts";

const mostNesting = 64;

export type CompiledExpression = {
  readonly evaluate: Evaluate;
  /** Which parts of the scope it may read. */
  readonly reads: readonly ValuePath[];
};

export type Whereabouts = {
  /** For faults. */
  readonly path: string;
  /** The names that are known. */
  readonly roots: ReadonlySet<string>;
  readonly marks?: Place["marks"];
  readonly faults: EndpointFault[];
};

/**
 * Makes a function of an expression, once. The function never throws and takes time in proportion to what it reads;
 * values are never evaluated. What is wrong with the expression is added to `faults`, all of it at once.
 */
export function compileExpression(expression: Expression, where: Whereabouts): CompiledExpression {
  const place = placeOf(where);
  const evaluate = compile(expression, place);
  return { evaluate, reads: place.reads };
}

export function placeOf({ path, roots, marks, faults }: Whereabouts): Place {
  return {
    path,
    depth: 0,
    roots,
    variables: new Map(),
    marks: marks ?? "none",
    reads: [],
    faults,
    compile,
  };
}

function compile(expression: Expression, place: Place): Evaluate {
  if (place.depth > mostNesting) return faulty(place, "nested too deep");
  if (typeof expression === "string") return compileText(expression, place);
  if (isListOf(expression)) return compileList(expression, place);
  if (typeof expression === "object" && expression !== null) return compileObject(expression, place);
  return () => expression;
}

function compileText(text: string, place: Place): Evaluate {
  if (!text.startsWith("$.")) return () => text;
  const path = parsePath(text.slice(1));
  if (path !== undefined) return compilePath(path, place);
  return faulty(place, `"${text}" is no path; as a text it is written {"$literal": …}`);
}

function compileList(list: readonly Expression[], place: Place): Evaluate {
  const items = list.map((item, index) => compileMember(item, index, place));
  return (scope) => items.map((item) => item(scope)).filter(hasValue);
}

function compileObject(object: { readonly [member: string]: Expression }, place: Place): Evaluate {
  const entries = Object.entries(object);
  const [name, argument] = entries.find(([member]) => member.startsWith("$")) ?? [];
  if (name === undefined || argument === undefined) return compileMembers(entries, place);
  if (entries.length > 1) return faulty(place, `an operator stands alone, but ${name} has members beside it`);
  const operator = operators.get(name);
  if (operator === undefined) return faulty(place, `there is no operator ${name}`);
  return operator(argument, { ...place, path: `${place.path}.${name}`, depth: place.depth + 1 });
}

function compileMembers(entries: readonly (readonly [string, Expression])[], place: Place): Evaluate {
  const members = entries.map(([name, value]) => [name, compileMember(value, name, place)] as const);
  return (scope) => jsonObjectOf(members.map(([name, evaluate]) => [name, evaluate(scope)]));
}
