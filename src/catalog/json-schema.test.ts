import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { catalogJsonSchema } from "./json-schema.ts";

const catalog = join(import.meta.dirname, "..", "..", "catalog");
const folders = { provider: "providers", model: "models", family: "families" } as const;

for (const [kind, folder] of Object.entries(folders) as [keyof typeof folders, string][]) {
  const schema = catalogJsonSchema(kind);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const isValid = ajv.compile(schema);
  const files = globSync(`${catalog}/${folder}/**/*.json`);

  test(`the JSON Schema of a ${kind} takes every built-in one`, () => {
    assert.ok(files.length > 5);
    for (const file of files)
      assert.ok(
        isValid(JSON.parse(readFileSync(file, "utf8"))),
        `${file}: ${ajv.errorsText(isValid.errors)}`,
      );
  });

  test(`the JSON Schema of a ${kind} refuses a member that no file has, and one of the wrong type`, () => {
    const [file = ""] = files;
    const facts = JSON.parse(readFileSync(file, "utf8"));
    assert.ok(!isValid({ ...facts, colour: "red" }));
    assert.ok(!isValid(kind === "family" ? { ...facts, rows: {} } : { ...facts, id: 7 }));
  });
}

test("the JSON Schema of a provider takes the quirks that there are, and refuses others", () => {
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  const isValid = ajv.compile(catalogJsonSchema("provider"));
  const withQuirks = (quirks: object) => isValid({ id: "x", name: "X", quirks });
  const quirks = ["no_developer_role", "reasoning_outside_completion", "strict_messages"];
  for (const quirk of quirks)
    assert.deepEqual([withQuirks({ [quirk]: true }), withQuirks({ [quirk]: 1 })], [true, false]);
  assert.equal(withQuirks({ strict_message: true }), false);
});
