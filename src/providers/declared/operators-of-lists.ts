import type { Expression } from "../../core/endpoint.ts";
import { hasValue, holds } from "./json-values.ts";
import { isObject, membersOf, ofMany, ofOne, optionalMember } from "./operator-forms.ts";
import type { Operators } from "./operator-forms.ts";
import { compileMember, faulty, fromRoot, itemsOf, missing, within } from "./place.ts";
import type { Evaluate, Place, Variable } from "./place.ts";
import { parsePath } from "./value-path.ts";
import type { ValuePath } from "./value-path.ts";

export const listOperators: Operators = {
  /** A list as it is, one value as a list of one, nothing as an empty list. */
  $array: ofOne((value) => {
    if (Array.isArray(value)) return value;
    return hasValue(value) ? [value] : [];
  }),
  /** The items of all the lists; what is no list is an item itself. */
  $concat: ofMany((values) => [...values].flat().filter(hasValue)),
  /** The first item of a list; what is no list is itself. */
  $first: ofOne((value) => (Array.isArray(value) ? value[0] : value)),
  $map: mapped,
};

const name = /^[A-Za-z_]\w*$/;

/**
 * `{from, as, at?, to, when?}`: `to` for each item of a list for which `when` holds; the item is known as `as`, its place
 * in the list, counted from 0, as `at`. Missing when `from` is no list.
 */
function mapped(argument: Expression, place: Place): Evaluate {
  const shape = { needed: ["from", "as", "to"], known: ["from", "as", "at", "to", "when"] };
  const members = membersOf(argument, place, shape);
  if (members === undefined) return missing;
  const { from = null, at } = members;
  const as = freeName(members["as"], "as", place);
  const atName = at === undefined ? "" : freeName(at, "at", place);
  if (as === undefined || atName === undefined) return missing;
  if (as === atName) return faulty(within(place, "at"), `the name ${as} is taken`);
  const variable: Variable = { origin: itemsOf(plainOrigin(from, place)), isRead: false };
  const readsOfList: ValuePath[] = [];
  const list = compileMember(from, "from", { ...place, reads: readsOfList });
  const variables = new Map(place.variables).set(as, variable);
  if (atName !== "") variables.set(atName, { origin: undefined, isRead: false });
  const inner = { ...place, variables };
  const to = optionalMember(members, "to", inner);
  const when = members["when"] === undefined ? () => true : optionalMember(members, "when", inner);
  // What is read of the items is noted by those who read it; if that is nothing, they are still counted.
  if (variable.origin === undefined || !variable.isRead) place.reads.push(...readsOfList);
  return (scope) => {
    const items = list(scope);
    if (!Array.isArray(items)) return undefined;
    return items
      .map((item: unknown, index) => ({
        ...scope,
        [as]: item,
        ...(atName === "" ? {} : { [atName]: index }),
      }))
      .filter((known) => holds(when(known)))
      .map(to)
      .filter(hasValue);
  };
}

/** A name that stands for nothing yet; undefined, and a fault noted, when it is none. */
function freeName(given: Expression | undefined, member: string, place: Place): string | undefined {
  const isName = typeof given === "string" && name.test(given);
  if (isName && !place.roots.has(given) && !place.variables.has(given)) return given;
  faulty(within(place, member), isName ? `the name ${given} is taken` : "want a name such as item");
  return undefined;
}

/** Where the items come from when that is a plain path, or `$array` of one. */
function plainOrigin(from: Expression, place: Place): ValuePath | undefined {
  const inner = isObject(from) ? from["$array"] : from;
  if (typeof inner !== "string" || !inner.startsWith("$.")) return undefined;
  const path = parsePath(inner.slice(1));
  return path === undefined ? undefined : fromRoot(path, place);
}
