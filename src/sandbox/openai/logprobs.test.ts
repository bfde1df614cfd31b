import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Params = Partial<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>;
type Logprobs = OpenAI.Chat.ChatCompletion.Choice.Logprobs;

const completions = (): OpenAI.Chat.Completions =>
  new OpenAI({ baseURL: `${sandbox.url}/openai/v1`, apiKey: "sk-any", maxRetries: 0 }).chat.completions;
const paramsOf = (more: Params) => ({
  model: "gpt-4o-mini",
  messages: [{ role: "user" as const, content: 'Say "Köln 𓂀 rain"' }],
  ...more,
});
const ask = (more: Params) => completions().create({ ...paramsOf(more), stream: false });

/** Puts bytes together again and checks what holds for any token. */
function textIn(logprobs: Logprobs | null | undefined, alternatives: number): string {
  const entries = logprobs?.content ?? [];
  for (const { token, bytes, logprob, top_logprobs: top } of entries) {
    assert.ok(logprob < 0 && logprob > -5, String(logprob));
    assert.equal(top.length, alternatives);
    if (top[0] !== undefined) assert.deepEqual(top[0], { token, bytes, logprob });
    assert.deepEqual(
      top.map((one) => one.logprob),
      top.map((one) => one.logprob).toSorted((one, other) => other - one),
    );
    assert.equal(new Set(top.map((one) => one.token)).size, alternatives);
    assert.ok(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0) < 1);
    for (const other of top.slice(1)) assert.deepEqual(other.bytes, [...Buffer.from(other.token)]);
  }
  return Buffer.from(entries.flatMap(({ bytes }) => bytes ?? [])).toString();
}

test("asked for, each token of the text tells how likely it was, with as many alternatives as wanted", async () => {
  for (const alternatives of [2, 20]) {
    const answer = await ask({ logprobs: true, top_logprobs: alternatives });
    const [choice] = answer.choices;
    assert.equal(textIn(choice?.logprobs, alternatives), choice?.message.content);
    assert.equal(choice?.logprobs?.content?.length, answer.usage?.completion_tokens);
    assert.equal(choice?.logprobs?.refusal, null);
  }
  const plain = (await ask({ logprobs: true })).choices[0];
  assert.equal(textIn(plain?.logprobs, 0), plain?.message.content);
});

test("telling how likely tokens are changes nothing of what is said, and says the same each time", async () => {
  const wish = { logprobs: true, top_logprobs: 3, n: 2 };
  const [one, other] = [await ask(wish), await ask(wish)];
  assert.deepEqual(one.choices, other.choices);
  assert.notDeepEqual(one.choices[0]?.logprobs, one.choices[1]?.logprobs);
  const bare = await ask({ n: 2 });
  assert.deepEqual(
    bare.choices.map(({ message }) => message),
    one.choices.map(({ message }) => message),
  );
  assert.deepEqual(
    bare.choices.map(({ logprobs }) => logprobs),
    [null, null],
  );
});

test("a stream tells with each delta what the whole answer tells", async () => {
  const wish = { logprobs: true, top_logprobs: 2 };
  const whole = await ask(wish);
  const streamed = completions().stream({ ...paramsOf(wish), stream: true });
  for await (const { choices } of streamed) {
    const [choice] = choices;
    if (choice === undefined || choice.delta.content === undefined) continue;
    assert.equal(textIn(choice.logprobs, 2), choice.delta.content);
  }
  const [choice] = (await streamed.finalChatCompletion()).choices;
  assert.deepEqual(choice?.logprobs, whole.choices[0]?.logprobs);
});

test("a choice that calls a tool tells nothing of tokens", async () => {
  const answer = await ask({
    logprobs: true,
    tools: [{ type: "function", function: { name: "look" } }],
    tool_choice: "required",
  });
  assert.equal(answer.choices[0]?.logprobs, null);
});

test("alternatives without logprobs, and logprobs of models that reason, are refused", async () => {
  for (const [more, param] of [
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ model: "gpt-5", logprobs: true }, "logprobs"],
  ] as const) {
    await assert.rejects(ask(more), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError);
      assert.equal(error.param, param);
      return true;
    });
  }
});
