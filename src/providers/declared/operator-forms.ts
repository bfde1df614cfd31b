import type { Expression } from "../../core/endpoint.ts";
import { compileMember, faulty, missing } from "./place.ts";
import type { Evaluate, Place, Scope } from "./place.ts";

/** Compiles what stands behind an operator's name. */
export type Operator = (argument: Expression, place: Place) => Evaluate;

export type Operators = Readonly<Record<string, Operator>>;

/** `{"$op": value}` */
export function ofOne(apply: (value: unknown) => unknown): Operator {
  return (argument, place) => {
    const value = place.compile(argument, place);
    return (scope) => apply(value(scope));
  };
}

/** `{"$op": [one, other]}` */
export function ofPair(apply: (one: unknown, other: unknown) => unknown): Operator {
  return (argument, place) => {
    const operands = listed(argument, place, [2, 2]);
    if (operands === undefined) return missing;
    const [one = missing, other = missing] = operands;
    return (scope) => apply(one(scope), other(scope));
  };
}

/**
 * `{"$op": [one, two, …]}`, or `{"$op": "$.some.list"}` for the items of a list that only the scope knows. `apply` gets
 * the values one after another, missing ones as undefined, and only those that it asks for are evaluated.
 */
export function ofMany(apply: (values: Iterable<unknown>) => unknown): Operator {
  return (argument, place) => {
    if (!isListOf(argument)) {
      const list = place.compile(argument, place);
      return (scope) => {
        const values = list(scope);
        return Array.isArray(values) ? apply(values) : undefined;
      };
    }
    const operands = argument.map((operand, index) => compileMember(operand, index, place));
    return (scope) => apply(evaluated(operands, scope));
  };
}

function* evaluated(operands: readonly Evaluate[], scope: Scope): Iterable<unknown> {
  for (const operand of operands) yield operand(scope);
}

/** The operands of a list of this many; undefined and a fault when it is none. */
export function listed(
  argument: Expression,
  place: Place,
  [least, most]: readonly [number, number],
): readonly Evaluate[] | undefined {
  if (isListOf(argument) && argument.length >= least && argument.length <= most) {
    return argument.map((operand, index) => compileMember(operand, index, place));
  }
  faulty(place, `want a list of ${least === most ? least : `${least} to ${most}`}`);
  return undefined;
}

type Members = { readonly [member: string]: Expression };

/** `{"$op": {"one": …, "other": …}}`; undefined and a fault when members are missing or unknown. */
export function membersOf(
  argument: Expression,
  place: Place,
  { needed, known }: { readonly needed: readonly string[]; readonly known: readonly string[] },
): Members | undefined {
  const members = isObject(argument) ? argument : undefined;
  const names = Object.keys(members ?? {});
  const isRight = needed.every((name) => names.includes(name)) && names.every((name) => known.includes(name));
  if (members !== undefined && isRight) return members;
  const optional = known.filter((name) => !needed.includes(name)).map((name) => `${name}?`);
  faulty(place, `want an object with the members ${[...needed, ...optional].join(", ")}`);
  return undefined;
}

/** A member that may be left out. */
export function optionalMember(members: Members, name: string, place: Place): Evaluate {
  const member = members[name];
  return member === undefined ? missing : compileMember(member, name, place);
}

export function isListOf(expression: Expression): expression is readonly Expression[] {
  return Array.isArray(expression);
}

export function isObject(expression: Expression): expression is Members {
  return typeof expression === "object" && expression !== null && !isListOf(expression);
}
