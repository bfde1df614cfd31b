import assert from "node:assert/strict";
import { test } from "node:test";
import type { Catalog } from "../catalog/catalog.ts";
import type { RunModel } from "../core/model.ts";
import { joinedTexts, listedModels } from "./listed-models.ts";

const modelOf = (id: string, doc?: string): RunModel => ({
  id,
  name: id,
  description: "",
  kind: "run",
  category: "search",
  lifecycle: { state: "active", shutdown: undefined, replacement: undefined },
  aliases: [],
  doc,
  inputs: {},
  inputAliases: {},
  example: {},
  offers: [],
  retail: [{ meter: "requests", per: 1, usd: "0.01" }],
  hasSideEffects: false,
});
const models = ["a", "b", "c", "d", "e"].map((id) => modelOf(id, id === "c" ? "/docs/c" : undefined));
const catalog: Catalog = { version: "1", providers: [], models, find: () => undefined, near: () => [] };
const house = { creditUsd: "0.05", isServed: () => true, isRunServed: () => true };

test("texts are made once per mode; what lies together is sent in one piece, and is the whole or a part of the list", () => {
  const listed = listedModels(catalog, house);
  const { all, digest } = listed("test");
  assert.equal(listed("test").all, all);
  assert.notEqual(listed("live").all, all);
  assert.equal(listed("live").digest, digest);
  const told = (ids: string) => {
    const pieces = joinedTexts(
      all.filter(({ id }) => ids.includes(id)),
      "http://here",
    );
    const list: readonly { id: string; doc: string | null }[] = JSON.parse(
      `[${Buffer.concat(pieces).toString()}]`,
    );
    return { pieces: pieces.length, ids: list.map(({ id }) => id).join(""), list };
  };
  for (const [ids, pieces] of [
    ["abcde", 3],
    ["ab", 1],
    ["abd", 2],
    ["ce", 2],
    ["c", 1],
    ["e", 1],
    ["", 0],
  ] as const) {
    const answer = told(ids);
    assert.deepEqual([answer.ids, answer.pieces], [ids, pieces], ids);
  }
  assert.equal(told("c").list[0]?.doc, "http://here/docs/c");
  const [first] = joinedTexts(all, "");
  assert.equal(first?.buffer, joinedTexts(all, "")[0]?.buffer, "no copy for each client");
});
