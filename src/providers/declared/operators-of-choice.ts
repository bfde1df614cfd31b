import type { Expression } from "../../core/endpoint.ts";
import { hasValue, holds, textOf } from "./json-values.ts";
import { isListOf, isObject, listed, membersOf } from "./operator-forms.ts";
import { ofMany, ofOne, ofPair, optionalMember } from "./operator-forms.ts";
import type { Operator, Operators } from "./operator-forms.ts";
import { compileMember, faulty, missing, within } from "./place.ts";
import type { Evaluate, Place } from "./place.ts";

export const choiceOperators: Operators = {
  /** The first that has a value. */
  $default: ofMany((values) => {
    for (const value of values) if (hasValue(value)) return value;
    return undefined;
  }),
  $if: chosen,
  /** Whether two texts, numbers or truths are the same; missing is the same as null. */
  $eq: comparison(isSame),
  $ne: comparison((one, other) => !isSame(one, other)),
  /** Whether the first of two numbers is the greater one. */
  $gt: ofPair((one, other) => typeof one === "number" && typeof other === "number" && one > other),
  $in: ofPair((one, list) => Array.isArray(list) && hasValue(one) && list.some((item) => isSame(one, item))),
  $not: ofOne((value) => !holds(value)),
  $and: ofMany((values) => {
    for (const value of values) if (!holds(value)) return false;
    return true;
  }),
  $or: ofMany((values) => {
    for (const value of values) if (holds(value)) return true;
    return false;
  }),
  $enum: fromTable,
  /** Stands for itself, whatever it looks like. */
  $literal: (argument) => () => argument,
};

/** `[condition, then, otherwise?]`; only the branch that is chosen is evaluated. */
function chosen(argument: Expression, place: Place): Evaluate {
  const [condition, then, otherwise = missing] = listed(argument, place, [2, 3]) ?? [];
  if (condition === undefined || then === undefined) return missing;
  return (scope) => (holds(condition(scope)) ? then(scope) : otherwise(scope));
}

/** Lists and objects are never the same; to write one down for comparison is a fault. */
function comparison(apply: (one: unknown, other: unknown) => boolean): Operator {
  const pair = ofPair(apply);
  return (argument, place) => {
    const operands = isListOf(argument) ? argument : [];
    const isWritten = operands.some((one) => isListOf(one) || (isObject(one) && !isOperator(one)));
    if (isWritten) return faulty(place, "lists and objects cannot be compared; compare their $len");
    return pair(argument, place);
  };
}

function isOperator(object: object): boolean {
  return Object.keys(object).some((name) => name.startsWith("$"));
}

function isSame(one: unknown, other: unknown): boolean {
  const first = one ?? null;
  return (typeof first !== "object" || first === null) && first === (other ?? null);
}

/** `{of, table, else?}`: the member of the table that has this name. */
function fromTable(argument: Expression, place: Place): Evaluate {
  const members = membersOf(argument, place, { needed: ["of", "table"], known: ["of", "table", "else"] });
  if (members === undefined) return missing;
  const { table = null } = members;
  const at = within(place, "table");
  if (!isObject(table)) return faulty(at, "want an object");
  const rows = new Map(Object.entries(table).map(([name, row]) => [name, compileMember(row, name, at)]));
  const of = optionalMember(members, "of", place);
  const otherwise = optionalMember(members, "else", place);
  return (scope) => {
    const name = textOf(of(scope));
    const row = name === undefined ? undefined : rows.get(name);
    return (row ?? otherwise)(scope);
  };
}
