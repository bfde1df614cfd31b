import assert from "node:assert/strict";
import { test } from "node:test";
import { hitsFor } from "./hits.ts";

test("pages are found in the domains that were named, none in a name that no domain can have", () => {
  const hits = hitsFor("Tides", { count: 3, domains: ["nature.com", `${"a".repeat(8_000_000)}.com`] });
  assert.deepEqual(
    hits.map(({ url }) => new URL(url).host),
    ["nature.com", "nature.com", "nature.com"],
  );
  for (const domain of ["a".repeat(254), "data:image/png;base64,!!!!", "[::1", ""])
    assert.deepEqual(hitsFor("Tides", { count: 3, domains: [domain] }), []);
});
