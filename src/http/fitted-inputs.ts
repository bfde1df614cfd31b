import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { namedMembers } from "../core/named-members.ts";

/** The inputs of a run, and the members of the request that have no place in them. */
export type FittedInputs = { readonly inputs: JsonObject; readonly dropped: readonly string[] };

/** The schema of an input, by the name the model has for it; undefined when it has none. */
export function inputOf({ inputs }: RunModel, name: string): JsonObject | undefined {
  const properties = inputs["properties"];
  if (!isJsonObject(properties) || !Object.hasOwn(properties, name)) return undefined;
  const schema = properties[name];
  return isJsonObject(schema) ? schema : {};
}

/** Whether the model takes this value for this input, as far as its schema says so. */
export function fits(model: RunModel, name: string, value: unknown): boolean {
  const schema = inputOf(model, name);
  return schema !== undefined && isAllowed(schema, value);
}

/** Lists, forms and bounds; what else a schema may say is checked when the run begins. */
function isAllowed(schema: JsonObject, value: unknown): boolean {
  const { type, enum: listed, pattern } = schema;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  if (type !== undefined && !types.some((one) => isOfType(value, one))) return false;
  if (Array.isArray(listed) && !listed.includes(value)) return false;
  if (typeof value === "string") return typeof pattern !== "string" || new RegExp(pattern, "u").test(value);
  return typeof value !== "number" || isWithin(schema, value);
}

function isWithin({ minimum, maximum, multipleOf }: JsonObject, value: number): boolean {
  if (typeof multipleOf === "number" && value % multipleOf !== 0) return false;
  const [least, most] = [minimum ?? -Infinity, maximum ?? Infinity];
  return Number(least) <= value && value <= Number(most);
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

/** The values that an input is limited to; none where it may have any. */
export function listedValues(model: RunModel, name: string): readonly unknown[] {
  const listed = inputOf(model, name)?.["enum"];
  return Array.isArray(listed) ? listed : [];
}

/**
 * The members of OpenAI's requests that steer a result and may be left out, each with the values that its documentation
 * lists (none: any). A model that does not have one, or not with such a value, answers without it; a value that OpenAI
 * does not know either is the model's to take or to refuse.
 */
export type Vocabulary = Readonly<Record<string, readonly unknown[]>>;

/** Splits a body by a vocabulary; members that are no part of it go to the model, whatever they are. */
export function fitted(model: RunModel, body: JsonObject, vocabulary: Vocabulary): FittedInputs {
  const inputs: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null) continue;
    const known = Object.hasOwn(vocabulary, name) ? vocabulary[name] : undefined;
    const isTaken = inputOf(model, name) !== undefined || Object.hasOwn(model.inputAliases, name);
    const isKept =
      known === undefined || (isTaken && (!known.includes(value) || isRoomFor(model, name, value)));
    if (isKept) inputs[name] = value;
    else dropped.push(name);
  }
  return { inputs, dropped };
}

function isRoomFor(model: RunModel, name: string, value: unknown): boolean {
  return fits(
    model,
    Object.hasOwn(model.inputAliases, name) ? (model.inputAliases[name] ?? name) : name,
    value,
  );
}

/** `x-skillboss-dropped`, when there is something to tell. */
export function droppedHeader(dropped: readonly string[]): Readonly<Record<string, string>> {
  return dropped.length === 0 ? {} : { "x-skillboss-dropped": namedMembers(dropped) };
}
