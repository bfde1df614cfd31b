import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chatRequestSchema } from "./chat-request.ts";
import { plainChatOf } from "./plain-chat.ts";

const odd = fc.constantFrom<unknown>(
  null,
  "",
  "x",
  0,
  -0,
  1,
  1.5,
  -1,
  128,
  129,
  2,
  2.1,
  1e16,
  Infinity,
  true,
);
const anyOf = (...usual: readonly unknown[]) =>
  fc.oneof({ weight: 15, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: odd });

const part = fc.constantFrom<unknown>({ type: "text", text: "a" }, { type: "text" }, "a");
const content = fc.oneof(
  { weight: 8, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.array(part, { maxLength: 2 }) },
  { weight: 1, arbitrary: odd },
);
const message = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record(
      {
        role: anyOf("system", "developer", "user", "assistant", "tool", "function", "toString"),
        content,
        name: fc.string(),
        tool_call_id: fc.string(),
      },
      { requiredKeys: ["role", "content"] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ role: anyOf("user"), more: odd }) },
  { weight: 1, arbitrary: fc.oneof(odd, fc.constant([])) },
);
const plainMessage = fc.record({
  role: fc.constantFrom("system", "user", "assistant"),
  content: fc.string(),
});
const messages = fc.oneof(
  { weight: 6, arbitrary: fc.array(plainMessage, { minLength: 1, maxLength: 14 }) },
  { weight: 4, arbitrary: fc.array(message, { maxLength: 3 }) },
  { weight: 1, arbitrary: odd },
);
const known = {
  model: anyOf("gpt-4o-mini"),
  messages,
  max_tokens: anyOf(1, 200, 2_147_483_647, 2_147_483_648),
  max_completion_tokens: anyOf(1, 200, 2_147_483_647),
  temperature: anyOf(0, 0.7, 2),
  top_p: anyOf(0, 0.7, 1),
  n: anyOf(1, 2, 128),
  stream: anyOf(true, false),
  user: anyOf("someone", "a".repeat(512), "a".repeat(513)),
};
const foreign = { seed: odd, foreign: odd, ["__proto__"]: odd };
const body = fc.oneof(
  { weight: 4, arbitrary: fc.record(known, { requiredKeys: ["model", "messages"] }) },
  { weight: 1, arbitrary: fc.record({ ...known, ...foreign }, { requiredKeys: [] }) },
);
/** What a door sees is what `JSON.parse` made. */
const parsed = fc
  .oneof({ weight: 20, arbitrary: body }, { weight: 1, arbitrary: fc.jsonValue() })
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

test("a plain chat is read as the schema reads it", () => {
  let plain = 0;
  fc.assert(
    fc.property(parsed, (value) => {
      const chat = plainChatOf(value);
      if (chat === undefined) return;
      plain += 1;
      const read = chatRequestSchema.safeParse(value);
      assert.ok(read.success, JSON.stringify(value));
      assert.deepEqual(chat, read.data);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(plain > 200, `only ${plain} of the bodies were plain`);
});

test("the usual chats are plain", () => {
  const usual = [
    { role: "system", content: "Be terse." },
    { role: "user", content: "Hello" },
    { role: "assistant", content: "" },
  ];
  assert.ok(plainChatOf({ model: "gpt-4o-mini", messages: usual }) !== undefined);
  const settings = { max_tokens: 200, temperature: 0.7, top_p: 1, n: 2, stream: true, user: "someone" };
  assert.ok(plainChatOf({ model: "gpt-4o-mini", messages: usual, ...settings }) !== undefined);
});

test("numbers beyond all bounds, own members named __proto__ and empty bodies are not plain", () => {
  const chat = (more: string): unknown =>
    JSON.parse(`{"model":"m","messages":[{"role":"user","content":"a"}]${more}}`);
  assert.ok(plainChatOf(chat("")) !== undefined);
  for (const more of [
    ',"temperature":1e999',
    ',"n":1.5',
    ',"max_tokens":1e16',
    ',"__proto__":{}',
    ',"user":null',
  ])
    assert.equal(plainChatOf(chat(more)), undefined, more);
  for (const value of [{}, [], null, "x", { model: "m" }, { messages: [] }, { model: "m", messages: [] }])
    assert.equal(plainChatOf(value), undefined, JSON.stringify(value));
});
