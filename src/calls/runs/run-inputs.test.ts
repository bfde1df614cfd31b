import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../core/problems.ts";
import type { NamedModel } from "./input-names.ts";
import { readInputs } from "./run-inputs.ts";

const model: NamedModel = {
  inputAliases: {},
  inputs: {
    type: "object",
    properties: { image: { type: "string", format: "uri" }, to: { type: "string", format: "email" } },
    additionalProperties: false,
  },
};

const picture = `data:image/png;base64,${Buffer.alloc(22_000_000, 7).toString("base64")}`;

function refusal(inputs: Record<string, unknown>): Problem {
  try {
    readInputs(model, inputs);
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.status, 400);
    return error;
  }
  throw new Error("nothing was refused");
}

test("a picture of 22 MB in a data URL is an address", () => {
  assert.equal(readInputs(model, { image: picture })["image"], picture);
});

test("a long text is no address when it has no scheme, or a character that none has", () => {
  const long = "a".repeat(20_000_000);
  for (const image of [long, `${picture} `, `${picture}"`, `${picture}%`, `${picture}%zz`, `1${picture}`])
    assert.equal(refusal({ image }).param, "inputs.image");
  assert.equal(refusal({ image: "not an address" }).param, "inputs.image");
});

test("a text that no regular expression can be held against is refused by name, as the customer's fault", () => {
  const { message } = refusal({ to: `${"a.".repeat(15_000_000)}@example.com` });
  assert.match(message, /^inputs\.to: is too long to be checked/);
});
