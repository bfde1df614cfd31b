import type { Expression } from "../../core/endpoint.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { jsonObjectOf } from "./json-values.ts";
import { isListOf, membersOf, ofMany, ofOne, optionalMember } from "./operator-forms.ts";
import type { Operator, Operators } from "./operator-forms.ts";
import { faulty, missing, within } from "./place.ts";

export const objectOperators: Operators = {
  /** One object with the members of all; of those with one name the last that has a value. */
  $merge: ofMany((values) => {
    const members = [...values]
      .filter(isJsonObject)
      .flatMap((object) => Object.entries(jsonObjectOf(Object.entries(object))));
    return jsonObjectOf(members);
  }),
  /** `{from, members}`: the object with these members alone. */
  $pick: ofNamed((isNamed) => isNamed),
  /** `{from, members}`: the object without these members. */
  $omit: ofNamed((isNamed) => !isNamed),
  /** The members of an object as a list of `{key, value}`. */
  $entries: ofOne((value) =>
    isJsonObject(value) ? Object.entries(value).map(([key, inner]) => ({ key, value: inner })) : undefined,
  ),
};

function ofNamed(isWanted: (isNamed: boolean) => boolean): Operator {
  return (argument: Expression, place) => {
    const shape = { needed: ["from", "members"], known: ["from", "members"] };
    const given = membersOf(argument, place, shape);
    if (given === undefined) return missing;
    const { members = null } = given;
    if (!isListOf(members) || !members.every((member) => typeof member === "string")) {
      return faulty(within(place, "members"), "want a list of names");
    }
    const names = new Set(members);
    const from = optionalMember(given, "from", place);
    return (scope) => {
      const object = from(scope);
      if (!isJsonObject(object)) return undefined;
      return jsonObjectOf(Object.entries(object).filter(([name]) => isWanted(names.has(name))));
    };
  };
}
