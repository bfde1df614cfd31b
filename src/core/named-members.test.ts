import assert from "node:assert/strict";
import { test } from "node:test";
import { namedMembers } from "./named-members.ts";

test("every member is named, and what no header can carry is percent-encoded", () => {
  assert.equal(namedMembers(["seed", "cache_control.ttl", "image[]"]), "seed, cache_control.ttl, image[]");
  assert.equal(
    namedMembers(["a\r\nb: c", "h\u00e9\u4e16", "", "x,y"]),
    'a%0D%0Ab%3A%20c, h%C3%A9%E4%B8%96, "", x%2Cy',
  );
  assert.equal(namedMembers(["\ud800", "\u{1f600}"]), "%EF%BF%BD, %F0%9F%98%80");
  const many = Array.from({ length: 300 }, (_, index) => `member_${index}`);
  assert.equal(namedMembers(many), many.join(", "));
});

test("the list is bounded whatever the names are, and says how many it left out", () => {
  const long = namedMembers(["x".repeat(100_000), "\u4e16".repeat(100_000)]);
  assert.match(long, /^x{64}%E2%80%A6, (%E4%B8%96){64}%E2%80%A6$/);
  const crowd = namedMembers(Array.from({ length: 5_000 }, (_, index) => `k${index}`));
  assert.match(crowd, /^k0, k1, .*, \d+ more$/);
  assert.ok(crowd.length <= 4_096 + 20);
});
