import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { startFakeApi } from "../client/fake-api.ts";
import type { FakeApi, FakeReply } from "../client/fake-api.ts";
import { run } from "./cli-runner.test-support.ts";
import type { RunSettings } from "./cli-runner.test-support.ts";

let fake: FakeApi | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function settingsFor(reply: FakeReply): Promise<RunSettings & { readonly api: FakeApi }> {
  fake = await startFakeApi({ "POST /v1/chat/completions": reply });
  return { environment: { url: fake.url, apiKey: "sk-test-x" }, api: fake };
}

type Delta = { readonly content?: string; readonly finish?: string };

function frame({ content, finish }: Delta): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish ?? null }];
  return `data: ${JSON.stringify({ id: "c", model: "m", choices })}\n\n`;
}

function ending(members: object): string {
  return `data: ${JSON.stringify({ id: "c", model: "m", choices: [], ...members })}\n\ndata: [DONE]\n\n`;
}

const end = ending({ _remaining_credits: 999.999757, _balance_warning: false });

test("The answer streams to standard output and the remaining credits go to standard error.", async () => {
  const settings = await settingsFor({
    pieces: [frame({ content: "Good " }), frame({ content: "day." }), end],
  });
  const words = ["chat", "Hello", "there", "--system", "Be kind.", "--max-tokens", "9", "--model", "m"];
  const { exitCode, output, errors } = await run(words, settings);
  assert.equal(exitCode, 0);
  assert.equal(output, "Good day.\n");
  assert.equal(errors, "999.999757 credits left.\n");
  assert.deepEqual(settings.api.asked[0]?.body, {
    model: "m",
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello there" },
    ],
    max_tokens: 9,
    stream: true,
  });
});

test("Each piece is written as soon as it is there.", { timeout: 10_000 }, async () => {
  const settings = await settingsFor({ pieces: [frame({ content: "one" })], finish: "hang" });
  const { exitCode, output } = await run(["chat", "hi"], {
    ...settings,
    onOutput: (text) => {
      if (text === "one") process.emit("SIGINT");
    },
  });
  assert.equal(exitCode, 130);
  assert.equal(output, "one\n");
});

test(
  "Ctrl-C ends the call at the server too, says nothing and leaves no listener.",
  { timeout: 10_000 },
  async () => {
    const before = process.listenerCount("SIGINT");
    const settings = await settingsFor({ pieces: [frame({ content: "one" })], finish: "hang" });
    const { exitCode, errors } = await run(["chat", "hi"], {
      ...settings,
      onOutput: () => process.emit("SIGINT"),
    });
    await settings.api.asked[0]?.closed;
    assert.equal(exitCode, 130);
    assert.equal(errors, "");
    assert.equal(process.listenerCount("SIGINT"), before);
  },
);

test("Without a message standard input is the message; an empty one is wrong use.", async () => {
  const settings = await settingsFor({ pieces: [frame({ content: "ok" }), end] });
  await run(["chat"], { ...settings, input: "from a pipe: ü\n" });
  assert.match(JSON.stringify(settings.api.asked[0]?.body), /"content":"from a pipe: ü"/);
  const empty = await run(["chat"], { ...settings, input: " \n" });
  assert.equal(empty.exitCode, 2);
  assert.match(empty.errors, /no message/);
  assert.equal(settings.api.asked.length, 1);
});

test("An answer cut by its limit, limited by the balance, low on credits or empty is told so.", async () => {
  const cases: readonly (readonly [pieces: readonly string[], says: RegExp])[] = [
    [[frame({ content: "a", finish: "length" }), end], /cut at its limit of tokens/],
    [[frame({ content: "a" }), ending({ _limited_by: "insufficient_balance" })], /what the balance pays for/],
    [
      [frame({ content: "a" }), ending({ _remaining_credits: 3, _balance_warning: true })],
      /^3\.00 credits left\. The balance is running low\.\n$/,
    ],
    [[frame({ finish: "stop" }), end], /no text/],
  ];
  for (const [pieces, says] of cases) {
    const { exitCode, errors } = await run(["chat", "hi"], await settingsFor({ pieces }));
    assert.equal(exitCode, 0);
    assert.match(errors, says);
    await fake?.close();
  }
});

test("A failure inside the stream ends with 1, on a line of its own after what came before.", async () => {
  const error = { message: "The provider broke off.", code: "upstream_error", request_id: "req_1" };
  const broken = `data: ${JSON.stringify({ choices: [], error })}\n\n`;
  const settings = await settingsFor({ pieces: [frame({ content: "half" }), broken] });
  const { exitCode, output, errors } = await run(["chat", "hi"], settings);
  assert.equal(exitCode, 1);
  assert.equal(output, "half\n");
  assert.match(errors, /The provider broke off\./);
});

test("A refusal for want of credits says who can help.", async () => {
  const error = { message: "Insufficient credits.", code: "insufficient_balance" };
  const settings = await settingsFor({ status: 402, body: { error } });
  const { exitCode, errors } = await run(["chat", "hi"], settings);
  assert.equal(exitCode, 1);
  assert.match(errors, /credits grant/);
});

test("A terminal is not obeyed to by an answer; a pipe gets the answer as it is.", async () => {
  const pieces = [frame({ content: "a\u001b]0;x\u0007b\n" }), end];
  const settings = await settingsFor({ pieces });
  const onTerminal = await run(["chat", "hi"], { ...settings, isTerminal: true });
  assert.equal(onTerminal.output, "a\u{fffd}]0;x\u{fffd}b\n");
  const piped = await run(["chat", "hi"], settings);
  assert.equal(piped.output, "a\u001b]0;x\u0007b\n");
});
