import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { readAs } from "./read-as.ts";

const message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.literal(["system", "user"]), content: z.string() }),
  z.looseObject({ role: z.literal("tool"), content: z.string(), id: z.string().min(1) }),
]);
const schema = z.looseObject({
  messages: z.array(message).min(1),
  n: z.int().min(1).max(128).nullish(),
  least: z.int().min(3).optional(),
  above: z.number().gt(0).optional(),
  temperature: z.number().min(0).max(2).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  user: z.string().max(512).nullish(),
  mode: z.enum(["live", "test"]).optional(),
  limits: z.strictObject({ requests: z.int().optional(), calls: z.int().optional() }).optional(),
  seeds: z.array(z.int()).max(2).optional(),
  page: z.url().optional(),
  table: z.record(z.string(), z.number()).optional(),
  bias: z.record(z.string().regex(/^\d+$/, "want the id of a token"), z.number().max(9)).optional(),
  odd: z.string().regex(/^x/, "want an x").optional(),
});

function faultOf(value: unknown): string {
  const read = readAs(schema, value);
  assert.ok("fault" in read, JSON.stringify(value));
  return `${read.fault.path.join(".")}: ${read.fault.message}`;
}

const messages = [{ role: "user", content: "hi" }];

test("a fault says in plain words what is wanted, with both ends of a range", () => {
  const roles = "want one of system, user, tool";
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ messages: undefined }, "messages: is missing; want a list of one or more messages"],
    [{ messages: "hi" }, "messages: want a list of one or more messages"],
    [{ messages: [] }, "messages: want a list of one or more messages"],
    [{ messages: [5] }, "messages.0: want an object"],
    [{ messages: [{ content: "hi" }] }, `messages.0.role: is missing; ${roles}`],
    [{ messages: [{ role: "robot", content: "hi" }] }, `messages.0.role: ${roles}`],
    [{ messages: [{ role: "user" }] }, "messages.0.content: is missing; want a text"],
    [{ messages: [{ role: "tool", content: "x", id: "" }] }, "messages.0.id: want a text that is not empty"],
    [{ n: 0 }, "n: want a whole number from 1 to 128"],
    [{ n: 129 }, "n: want a whole number from 1 to 128"],
    [{ n: 1.5 }, "n: want a whole number from 1 to 128"],
    [{ n: "2" }, "n: want a whole number from 1 to 128"],
    [{ least: 2 }, "least: want a whole number of at least 3"],
    [{ above: 0 }, "above: want a number above 0"],
    [{ temperature: 3 }, "temperature: want a number from 0 to 2"],
    [{ stop: 5 }, "stop: want a text or a list of at most 16 texts"],
    [{ stream: "yes" }, "stream: want true or false"],
    [{ user: "x".repeat(513) }, "user: want a text of at most 512 characters"],
    [{ mode: "prod" }, "mode: want one of live, test"],
    [{ limits: { request: 1 } }, "limits.request: there is no such member; known are requests, calls"],
    [{ seeds: [1, 2, 3] }, "seeds: want a list of at most 2 whole numbers"],
    [{ seeds: ["x"] }, "seeds.0: want a whole number"],
    [{ page: "nowhere" }, "page: want an address such as https://example.com"],
    [{ table: { a: "b" } }, "table.a: want a number"],
    [{ bias: { a: 1 } }, "bias.a: want the id of a token"],
    [{ bias: { 1: 10 } }, "bias.1: want a number of at most 9"],
    [{ odd: 5 }, "odd: want a text"],
    [{ odd: "y" }, "odd: want an x"],
  ];
  for (const [change, told] of cases) assert.equal(faultOf({ messages, ...change }), told);
  assert.equal(faultOf([]), ": want an object");
});

test("what the schema takes is given as the schema has it", () => {
  assert.deepEqual(readAs(schema, { messages, n: null }), { data: { messages, n: null } });
});
