import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { nearNames } from "../../catalog/near-names.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import type { RunModel } from "../../core/model.ts";
import { Problem } from "../../core/problems.ts";
import { wantedAt } from "../../core/wanted.ts";
import { storable, storableJson } from "../../core/storable-text.ts";

/** Names that clients use for the same input. A model knows one of them; the others of its row are taken for it. */
const sameInputs: readonly (readonly string[])[] = [
  ["query", "q", "search", "search_query", "prompt", "text", "input"],
  ["prompt", "text", "input", "inputText", "description"],
  ["text", "input", "prompt", "content"],
  ["image", "image_url", "input_image", "image_data"],
  ["image_url", "image", "input_image"],
  ["images", "image_urls", "reference_images"],
  ["duration", "duration_seconds", "seconds", "length_seconds"],
  ["to", "receivers", "recipients", "to_addresses"],
  ["from", "sender", "from_address"],
  ["html", "body_html", "html_body"],
  ["text", "body_text", "text_body", "body", "message"],
  ["subject", "title"],
  ["document_url", "url", "document", "file_url", "input"],
  ["url", "link", "page_url", "website"],
  ["voice_id", "voice"],
  ["voice", "voice_id"],
  ["audio_data", "audio", "audio_base64", "file_data"],
  ["audio_url", "audio", "file_url"],
  ["filename", "file_name"],
  ["n", "num_images", "num_outputs", "count"],
  ["max_results", "limit", "num", "num_results", "count"],
  ["limit", "max_results", "num", "count"],
  ["size", "image_size", "resolution"],
  ["documents", "texts"],
  ["input", "inputs", "texts", "text"],
];

const ajv = addFormats.default(
  new Ajv2020({
    allErrors: false,
    useDefaults: true,
    coerceTypes: "array",
    strict: false,
    // A schema is compiled by the first run of its model, which waits for it; making the code shorter takes half of that.
    code: { optimize: false },
  }),
);
const validators = new WeakMap<RunModel, ValidateFunction>();
const mostNamed = 64;

/**
 * The inputs as the model's schema has them: other names understood, defaults filled in, "5" taken for 5. Throws
 * `invalid_request` that names the member, for one that is unknown with the nearest known one.
 */
export function readInputs(model: RunModel, given: JsonObject): JsonObject {
  const properties = isJsonObject(model.inputs["properties"]) ? model.inputs["properties"] : {};
  const inputs: Record<string, unknown> = renamed(model, properties, given);
  const known = Object.keys(properties);
  // Before all else: a misspelt name is told as such, and not that the right one is missing.
  const unknown = Object.keys(inputs).find((name) => !Object.hasOwn(properties, name));
  if (unknown !== undefined && model.inputs["additionalProperties"] === false)
    throw unknownInput("inputs", unknown, known);
  let validate = validators.get(model);
  if (validate === undefined) {
    validate = ajv.compile(model.inputs);
    validators.set(model, validate);
  }
  if (!validate(inputs)) throw refusal(validate.errors?.[0], { schema: model.inputs, inputs, known });
  return inputs;
}

function renamed(model: RunModel, properties: JsonObject, given: JsonObject): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const known = knownName(name, { model, properties, given });
    if (inputs[known] === undefined || known === name) inputs[storable(known)] = storableJson(value);
  }
  return inputs;
}

type Names = { readonly model: RunModel; readonly properties: JsonObject; readonly given: JsonObject };

function knownName(name: string, { model, properties, given }: Names): string {
  if (Object.hasOwn(properties, name)) return name;
  const own = model.inputAliases[name];
  if (own !== undefined && Object.hasOwn(model.inputAliases, name)) return own;
  for (const [known = "", ...others] of sameInputs) {
    if (Object.hasOwn(properties, known) && !Object.hasOwn(given, known) && others.includes(name))
      return known;
  }
  return name;
}

type Refused = {
  readonly schema: JsonObject;
  readonly inputs: JsonObject;
  readonly known: readonly string[];
};

function refusal(error: ErrorObject | undefined, { schema, inputs, known }: Refused): Problem {
  if (error === undefined) return new Problem("invalid_request", { param: "inputs" });
  const at = `inputs${error.instancePath.replaceAll("/", ".").slice(0, mostNamed)}`;
  if (error.keyword === "additionalProperties")
    return unknownInput(at, String(error.params["additionalProperty"]), known);
  if (error.keyword === "required")
    return invalid(`${at}.${String(error.params["missingProperty"])}`, "is required");
  const path = error.instancePath.split("/").slice(1).map(pathPart);
  return invalid(at, wantedAt(schema, { path, value: inputs }));
}

/** A part of a JSON pointer: https://www.rfc-editor.org/rfc/rfc6901 */
function pathPart(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text.replaceAll("~1", "/").replaceAll("~0", "~");
}

function unknownInput(at: string, given: string, known: readonly string[]): Problem {
  const name = given.slice(0, mostNamed);
  const [near] = nearNames(known.map((one) => [one, one] as const))(name, 1);
  const hint = near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
  return invalid(`${at}.${name}`, `there is no such input; ${hint}`);
}

function invalid(param: string, message: string): Problem {
  return new Problem("invalid_request", { param, message: `${param}: ${message}` });
}
