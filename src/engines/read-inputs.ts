import type { z } from "zod";
import { Problem } from "../core/problems.ts";
import type { JsonObject } from "../core/json-object.ts";

/** The inputs as an engine wants them; throws `invalid_request` that names the first one at fault. */
export function readInputs<Schema extends z.ZodType>(schema: Schema, inputs: JsonObject): z.output<Schema> {
  const read = schema.safeParse(inputs);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const param = issue?.path.join(".") ?? "";
  throw new Problem("invalid_request", {
    message: issue === undefined ? "The inputs are not valid." : issue.message,
    ...(param === "" ? {} : { param }),
  });
}
