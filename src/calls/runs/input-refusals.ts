import type { ErrorObject } from "ajv/dist/2020.js";
import { nearNames } from "../../catalog/near-names.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { Problem } from "../../core/problems.ts";
import { wantedAt } from "../../core/wanted.ts";

const mostNamed = 64;

export type Refused = {
  readonly schema: JsonObject;
  readonly inputs: JsonObject;
  readonly known: readonly string[];
  /** The model's name → the customer's. */
  readonly givenAs: ReadonlyMap<string, string>;
};

/** What a schema has against the inputs, in our words, and at the name that the customer wrote. */
export function refusalOf(error: ErrorObject | undefined, refused: Refused): Problem {
  if (error === undefined) return new Problem("invalid_request", { param: "inputs" });
  const path = error.instancePath.split("/").slice(1).map(pathPart);
  const at = placeOf(path, refused);
  if (error.keyword === "additionalProperties")
    return unknownInput(at, String(error.params["additionalProperty"]), refused.known);
  if (error.keyword === "required")
    return invalid(`${at}.${String(error.params["missingProperty"])}`, "is required");
  return invalid(at, faultOf(error, path, refused));
}

function placeOf([first, ...rest]: readonly (string | number)[], { givenAs }: Refused): string {
  const name = first === undefined ? [] : [givenAs.get(String(first)) ?? first];
  return ["inputs", ...name, ...rest].join(".").slice(0, mostNamed + "inputs".length);
}

/** A part of a JSON pointer: https://www.rfc-editor.org/rfc/rfc6901 */
function pathPart(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function unknownInput(at: string, given: string, known: readonly string[]): Problem {
  const name = given.slice(0, mostNamed);
  const [near] = nearNames(known.map((one) => [one, one] as const))(name, 1);
  const hint = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
  return invalid(`${at}.${name}`, `there is no such input; ${hint}`);
}

/** For inputs that are too long to be checked: names the longest. */
export function tooLong(inputs: JsonObject, givenAs: ReadonlyMap<string, string>): Problem {
  const bySize = Object.entries(inputs).map(([name, value]) => ({
    name,
    size: JSON.stringify(value).length,
  }));
  const [longest] = bySize.toSorted((one, other) => other.size - one.size);
  if (longest === undefined) return new Problem("invalid_request", { param: "inputs" });
  const param = `inputs.${givenAs.get(longest.name) ?? longest.name}`;
  return invalid(param, "is too long to be checked; send a shorter one");
}

function invalid(param: string, message: string): Problem {
  return new Problem("invalid_request", { param, message: `${param}: ${message}` });
}

function faultOf(error: ErrorObject, path: readonly PropertyKey[], { schema, inputs }: Refused): string {
  const { keyword, data, parentSchema } = error;
  const wanted = wantedAt(schema, { path, value: inputs });
  if (keyword === "type" && Array.isArray(data) && data.length > 1 && !/a list of|an object/.test(wanted))
    return `takes one value, not a list of ${data.length}: ask once for each`;
  // A pattern says nothing to people; its description does.
  const description: unknown = isJsonObject(parentSchema) ? parentSchema["description"] : undefined;
  return keyword === "pattern" && typeof description === "string" ? `${wanted}: ${description}` : wanted;
}
