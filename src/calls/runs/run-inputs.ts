import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { JsonObject } from "../../core/json-object.ts";
import { namedInputs, propertiesOf } from "./input-names.ts";
import type { NamedModel } from "./input-names.ts";
import { refusalOf, tooLong, unknownInput } from "./input-refusals.ts";
import { isUri } from "./uri-format.ts";

const ajv = addFormats
  .default(
    new Ajv2020({
      allErrors: false,
      useDefaults: true,
      coerceTypes: "array",
      strict: false,
      // Refusals use the schema's own words.
      verbose: true,
      // A schema is compiled by the first run of its model, which waits for it; making the code shorter takes half of that.
      code: { optimize: false },
    }),
  )
  .addFormat("uri", isUri);
const validators = new WeakMap<NamedModel["inputs"], ValidateFunction>();

/**
 * The inputs as the model's schema has them: other names understood, defaults filled in, "5" taken for 5, and U+FFFD for
 * characters that no database keeps. Throws `invalid_request` that names the member, for one that is unknown with the
 * nearest known one.
 */
export function readInputs(model: NamedModel, given: JsonObject): JsonObject {
  const properties = propertiesOf(model);
  const { inputs, givenAs } = namedInputs(model, given);
  const known = Object.keys(properties);
  // Before all else: a misspelt name is told as such, and not that the right one is missing.
  const unknown = Object.keys(inputs).find((name) => !Object.hasOwn(properties, name));
  if (unknown !== undefined && model.inputs["additionalProperties"] === false)
    throw unknownInput("inputs", unknown, known);
  const validate = validatorOf(model.inputs);
  if (!isValid(validate, inputs, givenAs))
    throw refusalOf(validate.errors?.[0], { schema: model.inputs, inputs, known, givenAs });
  return inputs;
}

function isValid(
  validate: ValidateFunction,
  inputs: JsonObject,
  givenAs: ReadonlyMap<string, string>,
): boolean {
  try {
    return validate(inputs);
  } catch (error) {
    // A regular expression of the schema had to remember too much.
    if (error instanceof RangeError) throw tooLong(inputs, givenAs);
    throw error;
  }
}

function validatorOf(schema: NamedModel["inputs"]): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const made = ajv.compile(schema);
  validators.set(schema, made);
  return made;
}

/** Why the schema of some inputs is none; empty when it can be used. */
export function schemaFaults(
  schema: NamedModel["inputs"],
): readonly Pick<ErrorObject, "instancePath" | "message">[] {
  if (ajv.validateSchema(schema) !== true) return (ajv.errors ?? []).slice(0, 1);
  try {
    validatorOf(schema);
    return [];
  } catch (error) {
    return [{ instancePath: "", message: error instanceof Error ? error.message : "cannot be compiled" }];
  }
}
