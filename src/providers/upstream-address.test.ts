import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestHeaders } from "./upstream-address.ts";

type Headers = Readonly<Record<string, string>>;
type Outcome = { readonly list: readonly string[] } | { readonly refused: string };

function outcomeOf(asked: Headers, worn: Headers, hasBody: boolean): Outcome {
  try {
    return { list: [...requestHeaders(asked, worn, hasBody)] };
  } catch (error) {
    return { refused: String(error) };
  }
}

const name = fc.constantFrom(
  "accept",
  "Accept",
  "content-type",
  "x-api-key",
  "authorization",
  "host",
  "bad name",
);
const value = fc.constantFrom("a", "application/json", "line\nbreak", "");
const headers = fc.dictionary(name, value, { maxKeys: 3 });

test("headers that are frozen, and so checked once, become the same list or refusal as any others", () => {
  fc.assert(
    fc.property(headers, headers, headers, fc.boolean(), (one, other, worn, hasBody) => {
      const key = Object.freeze({ ...worn });
      const frozen = [one, other].map((asked) => Object.freeze({ ...asked }));
      // Three times in turn: the list of one request must not become that of another.
      for (const asked of [...frozen, ...frozen, ...frozen])
        assert.deepEqual(outcomeOf(asked, key, hasBody), outcomeOf({ ...asked }, { ...worn }, hasBody));
      const otherKey = Object.freeze({ ...worn, "x-other": "1" });
      for (const asked of frozen)
        assert.deepEqual(outcomeOf(asked, otherKey, true), outcomeOf({ ...asked }, { ...otherKey }, true));
    }),
    { numRuns: 1_000 },
  );
});
