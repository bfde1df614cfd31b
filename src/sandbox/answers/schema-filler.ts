import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { fillArray } from "./array-filler.ts";
import { freshEffort } from "./effort.ts";
import type { Effort, Ground } from "./effort.ts";
import { fillNumber } from "./number-filler.ts";
import { fillObject } from "./object-filler.ts";
import type { PartMaker } from "./object-filler.ts";
import { pick } from "./random.ts";
import type { Random } from "./random.ts";
import { satisfies } from "./schema-check.ts";
import { allowsOnlyNull, flatten, typesIn } from "./schema-flat.ts";
import { heightOf } from "./schema-height.ts";
import { fillString } from "./string-filler.ts";

export type Filling = {
  readonly random: Random;
  /** Strings take these first, in this order. */
  readonly words: readonly string[];
  /** Given where several values share it. */
  readonly effort?: Effort;
};

/** Deeper than this, or after so many values, only what must be there is made. */
const fullDepth = 5;
const fullValues = 500;
/** And beyond these nothing at all, so that no schema can keep the process busy. */
const mostDepth = 40;
const mostValues = 5_000;
const triesPerChoice = 8;
/** What a value takes of the effort, whatever it is. */
const stepsOfValue = 10;

type State = Ground & {
  readonly filling: Filling;
  /** Heights that are known. */
  readonly heights: Map<unknown, number>;
  values: number;
  words: number;
  /** Put before words, so that texts differ that have to; 0 before none. */
  number: number;
};
type Place = { readonly depth: number; readonly name: string };
type Try = Place & { readonly isBare: boolean };

/**
 * A value that satisfies a JSON Schema. A schema without a type is taken to mean an object; undefined is a free object.
 * Bounded in time and size for any schema; a schema that nothing satisfies gets something all the same.
 */
export function fillSchema(schema: unknown, filling: Filling): unknown {
  const effort = filling.effort ?? freshEffort();
  const state: State = { root: schema, effort, filling, heights: new Map(), values: 0, words: 0, number: 0 };
  const asked = isObject(schema) && Object.keys(schema).length > 0 ? schema : freeObject;
  return fillAt(asked, state, { depth: 0, name: "" });
}

const freeObject: JsonObject = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
};

const choices = ["oneOf", "anyOf", "allOf", "not", "if", "contains", "$ref"];

function fillAt(schema: unknown, state: State, place: Place): unknown {
  const isChoice = isObject(schema) && choices.some((keyword) => keyword in schema);
  const most = isChoice ? triesPerChoice : 1;
  let made: unknown = null;
  for (let tries = 1; tries <= most; tries += 1) {
    state.values += 1;
    state.effort.left -= stepsOfValue;
    if (isSpent(state) || place.depth > mostDepth) return made;
    // What a choice forbids is often a member that nobody has to make: every other try leaves those out.
    const isBare = tries % 2 === 0;
    const { value, isWanted } = fillOnce(schema, state, { ...place, isBare });
    made = value;
    if (tries === most || state.values > fullValues) break;
    if (isWanted && satisfies(made, schema, state)) break;
  }
  return made;
}

function isSpent({ values, effort }: State): boolean {
  return values > mostValues || effort.left <= 0;
}

function isSparseAt(state: State, place: Place): boolean {
  return place.depth > fullDepth || state.values > fullValues;
}

type Made = { readonly value: unknown; readonly isWanted: boolean };

function fillOnce(schema: unknown, state: State, place: Try): Made {
  const isSparse = isSparseAt(state, place);
  const flat = flatten(schema, state, (branches) => {
    if (isSparse) return lowest(branches, state);
    const telling = branches.filter((branch) => branch !== false && !allowsOnlyNull(branch));
    return pick(state.filling.random, telling, branches[0]);
  });
  if (flat === undefined) return { value: null, isWanted: false };
  const value = fillFlat(flat, place, makerAt(state, place, isSparse || place.isBare));
  // The check of the whole schema does not look at patterns, so it cannot tell which side of a condition was taken.
  return { value, isWanted: flat["not"] === undefined || !satisfies(value, flat["not"], state) };
}

function makerAt(state: State, place: Place, isSparse: boolean): PartMaker {
  return {
    make: (schema, name) => fillAt(schema, state, { depth: place.depth + 1, name }),
    makeOther(schema, name, number) {
      const before = state.number;
      state.number = number;
      const made = fillAt(schema, state, { depth: place.depth + 1, name });
      state.number = before;
      return made;
    },
    nextWord: () => nextWord(state),
    random: state.filling.random,
    isSparse,
    effort: state.effort,
    isSpent: () => isSpent(state),
  };
}

function fillFlat(flat: JsonObject, place: Place, maker: PartMaker): unknown {
  const { random, effort } = maker;
  if (Object.hasOwn(flat, "const")) return taken(flat["const"], effort);
  if (Array.isArray(flat["enum"])) {
    return taken(pick<unknown>(random, fittingOf(flat["enum"], flat, effort), null), effort);
  }
  switch (typeOf(flat, maker.isSparse, place)) {
    case "object":
      return fillObject(flat, maker);
    case "array":
      return fillArray(flat, place.name, maker);
    case "integer":
      return fillNumber(flat, { isInteger: true, random });
    case "number":
      return fillNumber(flat, { isInteger: false, random });
    case "boolean":
      return random() < 0.5;
    case "null":
      return null;
    default:
      return fillString(flat, { random, word: maker.nextWord(), effort });
  }
}

/** A value that the schema itself gives is as much work as one of its length that is made. */
function taken(value: unknown, effort: Effort): unknown {
  if (typeof value === "string") effort.left -= value.length;
  else if (typeof value === "object") effort.left -= JSON.stringify(value).length;
  return value;
}

function lowest(branches: readonly unknown[], state: State): unknown {
  let best: unknown;
  let least = Number.POSITIVE_INFINITY;
  for (const branch of branches) {
    const height = branch === false ? least : knownHeight(branch, state);
    if (best === undefined || height < least) [best, least] = [branch, height];
  }
  return best;
}

function knownHeight(branch: unknown, state: State): number {
  const known = state.heights.get(branch) ?? heightOf(branch, state);
  state.effort.left -= 1;
  state.heights.set(branch, known);
  return known;
}

/** The members of an enumeration that its other keywords allow as well. */
function fittingOf(members: readonly unknown[], flat: JsonObject, effort: Effort): readonly unknown[] {
  const { enum: _, ...others } = flat;
  const ground = { root: flat, effort };
  const fitting = members.filter((member) => satisfies(member, others, ground));
  const telling = fitting.filter((member) => member !== null);
  return telling.length > 0 ? telling : fitting;
}

const hints: readonly (readonly [string, readonly string[]])[] = [
  ["object", ["properties", "required", "additionalProperties", "patternProperties", "minProperties"]],
  ["array", ["items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
  ["string", ["pattern", "format", "minLength", "maxLength"]],
];

function typeOf(flat: JsonObject, sparse: boolean, place: Place): string {
  const types = typesIn(flat["type"]);
  if (types.length > 0) {
    if (sparse && types.includes("null")) return "null";
    return types.find((type) => type !== "null") ?? "null";
  }
  const hinted = hints.find(([, keywords]) => keywords.some((keyword) => keyword in flat));
  return hinted?.[0] ?? (place.depth === 0 ? "object" : "string");
}

/** Each word is used once before the first is used again; after them, words of our own. */
function nextWord(state: State): string | undefined {
  const { words } = state.filling;
  const word = words[state.words % Math.max(words.length, 1)];
  state.words += 1;
  return state.number === 0 ? word : `${state.number} ${word ?? "item"}`;
}
