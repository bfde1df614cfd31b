import type { z } from "zod";
import { Problem } from "../core/problems.ts";
import { readAs } from "../core/read-as.ts";
import type { JsonObject } from "../core/json-object.ts";

/** The inputs as an engine wants them; throws `invalid_request` that names the first one at fault. */
export function readInputs<Schema extends z.ZodType>(schema: Schema, inputs: JsonObject): z.output<Schema> {
  const read = readAs(schema, inputs);
  if ("data" in read) return read.data;
  const { path, message } = read.fault;
  const param = path.join(".");
  throw new Problem("invalid_request", { message, ...(param === "" ? {} : { param }) });
}
