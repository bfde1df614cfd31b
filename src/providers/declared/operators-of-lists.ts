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

/** `{from, as, to, when?}`: `to` for each item of a list for which `when` holds. Missing when `from` is no list. */
function mapped(argument: Expression, place: Place): Evaluate {
  const shape = { needed: ["from", "as", "to"], known: ["from", "as", "to", "when"] };
  const members = membersOf(argument, place, shape);
  if (members === undefined) return missing;
  const { from = null, as = null } = members;
  if (typeof as !== "string" || !name.test(as))
    return faulty(within(place, "as"), "want a name such as item");
  if (place.roots.has(as) || place.variables.has(as)) {
    return faulty(within(place, "as"), `the name ${as} is taken`);
  }
  const variable: Variable = { origin: itemsOf(plainOrigin(from, place)), isRead: false };
  const readsOfList: ValuePath[] = [];
  const list = compileMember(from, "from", { ...place, reads: readsOfList });
  const inner = { ...place, variables: new Map(place.variables).set(as, variable) };
  const to = optionalMember(members, "to", inner);
  const when = members["when"] === undefined ? () => true : optionalMember(members, "when", inner);
  // What is read of the items is noted by those who read it; if that is nothing, they are still counted.
  if (variable.origin === undefined || !variable.isRead) place.reads.push(...readsOfList);
  return (scope) => {
    const items = list(scope);
    if (!Array.isArray(items)) return undefined;
    return items
      .map((item: unknown) => ({ ...scope, [as]: item }))
      .filter((known) => holds(when(known)))
      .map(to)
      .filter(hasValue);
  };
}

/** Where the items come from when that is a plain path, or `$array` of one. */
function plainOrigin(from: Expression, place: Place): ValuePath | undefined {
  const inner = isObject(from) ? from["$array"] : from;
  if (typeof inner !== "string" || !inner.startsWith("$.")) return undefined;
  const path = parsePath(inner.slice(1));
  return path === undefined ? undefined : fromRoot(path, place);
}
