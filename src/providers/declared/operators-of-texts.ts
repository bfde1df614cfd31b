import type { Expression } from "../../core/endpoint.ts";
import { parseJson } from "../../core/json-object.ts";
import { isShallow, jsonText, textOf } from "./json-values.ts";
import { listed, ofOne } from "./operator-forms.ts";
import type { Operator, Operators } from "./operator-forms.ts";
import { compilePath, faulty, missing } from "./place.ts";
import type { Evaluate, Place } from "./place.ts";
import { parseTemplate } from "./text-template.ts";

export const textOperators: Operators = {
  /** A number or truth as text. */
  $str: ofOne(textOf),
  /** "text {inputs.name} more": missing when one of its values is. The values are only put in, never evaluated. */
  $tpl: template,
  /** `[list, separator]`: the texts and numbers of the list as one text. */
  $join: ofListAndSeparator((list, separator) =>
    Array.isArray(list)
      ? list
          .map(textOf)
          .filter((text) => text !== undefined)
          .join(separator)
      : undefined,
  ),
  /** `[text, separator]`: the pieces of the text. */
  $split: ofListAndSeparator((text, separator) =>
    typeof text === "string" && separator !== "" ? text.split(separator) : undefined,
  ),
  $lower: ofOne((value) => textOf(value)?.toLowerCase()),
  /** The value as JSON text. */
  $json: ofOne(jsonText),
  /** The value of a JSON text; missing when it is none or nests too deep. */
  $parse: ofOne(parsed),
};

function template(argument: Expression, place: Place): Evaluate {
  if (typeof argument !== "string") return faulty(place, "want a text");
  const pieces = parseTemplate(argument);
  if (typeof pieces === "string") return faulty(place, pieces);
  if (pieces.some((piece) => typeof piece === "object" && piece.hasPlus)) {
    return faulty(place, "a plus has a meaning in paths only");
  }
  const values = pieces.map((piece) =>
    typeof piece === "string" ? () => piece : compilePath(piece.path, place),
  );
  return (scope) => {
    let text = "";
    for (const value of values) {
      const added = textOf(value(scope));
      if (added === undefined) return undefined;
      text += added;
    }
    return text;
  };
}

function ofListAndSeparator(apply: (value: unknown, separator: string) => unknown): Operator {
  return (argument, place) => {
    const [value, separator] = listed(argument, place, [2, 2]) ?? [];
    if (value === undefined || separator === undefined) return missing;
    return (scope) => {
      const between = textOf(separator(scope));
      return between === undefined ? undefined : apply(value(scope), between);
    };
  };
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    const told = parseJson(value);
    return isShallow(told) ? told : undefined;
  } catch {
    return undefined;
  }
}
