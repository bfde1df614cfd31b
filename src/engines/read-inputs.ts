import { z } from "zod";
import { Problem } from "../core/problems.ts";
import type { JsonObject } from "../core/json-object.ts";
import { wantedAt } from "../core/wanted.ts";

/**
 * The inputs as an engine wants them; throws `invalid_request` that names the first one at fault, in the schema's words or
 * in ours.
 */
export function readInputs<Schema extends z.ZodType>(schema: Schema, inputs: JsonObject): z.output<Schema> {
  const read = schema.safeParse(inputs, { error: () => "" });
  if (read.success) return read.data;
  const { path = [], message = "" } = read.error.issues[0] ?? {};
  const form: JsonObject = { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
  const param = path.join(".");
  throw new Problem("invalid_request", {
    message: message === "" ? wantedAt(form, { path, value: inputs }) : message,
    ...(param === "" ? {} : { param }),
  });
}
