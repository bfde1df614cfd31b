import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
// No validator of ours knows it; the addresses made are plain ones.
ajv.addFormat("idn-email", /^[^\s@]+@[^\s@]+$/u);

/** The text is JSON and a value of the schema, as a validator that is not ours sees it. */
export function assertSatisfies(schema: object, text: string, about: string): void {
  const value: unknown = JSON.parse(text);
  const isSatisfied = ajv.validate(schema, value);
  assert.ok(isSatisfied, `${about}: ${ajv.errorsText()} in ${text}`);
}
