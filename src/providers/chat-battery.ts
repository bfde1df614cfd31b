import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../core/json-object.ts";
import type { Usage } from "../core/usage.ts";
import { garbage } from "./chat-battery-garbage.ts";
import {
  batteryView,
  collect,
  cutAt,
  framesOf,
  list,
  object,
  readWhole,
  streamed,
} from "./collected-chat.test-support.ts";
import type { Collected, Streamed } from "./collected-chat.test-support.ts";
import type { ChatWire, Target, UpstreamFault } from "./wire.ts";

/** The text that every translator must carry through any cut of its bytes: one to four bytes per character. */
export const awkwardText = 'naïve 你好世界 🌍👩‍👩‍👧 \u2028 "\\ \u0007';

/** What one answer comes to in OpenAI's terms (choice 0). `arguments` is compared as JSON. */
export type ExpectedAnswer = {
  readonly content: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly finishReason: string;
  readonly meters: Usage;
  /** `prompt_tokens`, `completion_tokens` as the customer reads them. */
  readonly shown: { readonly prompt_tokens: number; readonly completion_tokens: number };
};

/** One answer as the upstream tells it both ways: the body of a plain answer, and the text of its event stream. */
export type ToldAnswer = {
  readonly whole: string;
  readonly stream: string;
  readonly expected: ExpectedAnswer;
};

export type ChatFixtures = {
  readonly target: Target;
  /** Content is `awkwardText`, in at least three deltas. */
  readonly text: ToldAnswer;
  readonly toolCall: ToldAnswer;
  readonly parallelToolCalls: ToldAnswer;
  /** Ends because the output limit was reached: finish reason `length`. */
  readonly length: ToldAnswer;
  /** A stream that turns into the wire's error after some text. */
  readonly brokenStream: { readonly stream: string; readonly kind: UpstreamFault["kind"] };
  /** A stream that begins as usual and closes before any output. */
  readonly silentStream: string;
  /** An event of this wire whose data is no JSON. */
  readonly unreadableEvent: string;
};

/** The tests that every translator of chat must pass, with answers told on its own wire. */
export function chatBattery(name: string, wire: ChatWire, fixtures: ChatFixtures): void {
  void describe(`${name}: what every chat translator promises`, () => {
    const told = { text: fixtures.text, toolCall: fixtures.toolCall, length: fixtures.length };
    for (const [kind, answer] of Object.entries({ ...told, parallel: fixtures.parallelToolCalls })) {
      toldBothWays(kind, wire, { fixtures, answer });
      anyCut(kind, wire, { fixtures, stream: answer.stream });
    }
    anyCut("broken stream", wire, { fixtures, stream: fixtures.brokenStream.stream });
    ends(wire, fixtures);
    failures(wire, fixtures);
    garbage(wire, fixtures.target, [fixtures.text, fixtures.toolCall]);
  });
}

type Told = { readonly fixtures: ChatFixtures; readonly answer: ToldAnswer };

function assertExpected(collected: Collected, expected: ExpectedAnswer): void {
  assert.equal(collected.content, expected.content);
  assert.equal(collected.finishReason, expected.finishReason);
  const calls = collected.toolCalls.map((call) => ({
    name: call.name,
    arguments: JSON.parse(call.arguments) as unknown,
  }));
  assert.deepEqual(calls, expected.toolCalls);
  for (const call of collected.toolCalls) assert.notEqual(call.id, "", "every tool call has an id");
}

function toldBothWays(kind: string, wire: ChatWire, { fixtures: { target }, answer }: Told): void {
  const { expected } = answer;
  void test(`${kind}: a whole answer comes to what was told, metered, under the model as asked`, () => {
    const whole = wire.whole(Buffer.from(answer.whole), batteryView, target);
    assertExpected(readWhole(whole), expected);
    const body = object(JSON.parse(`{${whole.members}}`));
    assert.equal(body["object"], "chat.completion");
    assert.equal(body["model"], batteryView.model);
    assert.ok(typeof body["id"] === "string" && Number.isSafeInteger(body["created"]));
    assert.equal("usage" in body, false);
    assert.deepEqual(whole.usage?.meters, expected.meters);
    assertShown(whole.usage?.shown, expected);
    assert.equal(whole.hasOutput, true);
    assertCounted(whole.outputText(), expected);
  });
  void test(`${kind}: a stream comes to the same as the whole answer, in its text, calls and usage`, () => {
    const result = streamed(wire.stream(batteryView, target), [Buffer.from(answer.stream)]);
    const { translation } = result;
    const frames = framesOf(result.bytes);
    assertExpected(collect(frames), expected);
    for (const frame of frames) {
      assert.equal(frame["object"], "chat.completion.chunk");
      assert.equal(frame["model"], batteryView.model);
      assert.equal(frame["id"], frames[0]?.["id"]);
      assert.ok(list(frame["choices"]).length > 0 && (frame["usage"] ?? null) === null);
    }
    assert.deepEqual(translation.usage?.meters, expected.meters);
    assertShown(translation.usage?.shown, expected);
    assert.deepEqual([translation.complete, translation.fault], [true, undefined]);
    assert.equal(translation.hasOutput, true);
    assertCounted(translation.outputText(), expected);
    assert.equal(translation.outputLength, translation.outputText().length);
  });
}

function assertShown(shown: JsonObject | undefined, expected: ExpectedAnswer): void {
  const { prompt_tokens, completion_tokens } = expected.shown;
  assert.deepEqual(
    [shown?.["prompt_tokens"], shown?.["completion_tokens"]],
    [prompt_tokens, completion_tokens],
  );
  assert.equal(shown?.["total_tokens"], prompt_tokens + completion_tokens);
}

function assertCounted(counted: string, expected: ExpectedAnswer): void {
  assert.ok(counted.includes(expected.content), "the content is counted as real text");
  for (const call of expected.toolCalls) assert.ok(counted.includes(call.name), "tool calls are counted");
}

type Cut = { readonly fixtures: ChatFixtures; readonly stream: string };

function endState({ bytes, beforeClosing, translation }: Streamed): readonly unknown[] {
  const { complete, fault, usage, hasOutput } = translation;
  return [
    bytes.toString(),
    beforeClosing.length,
    complete,
    fault,
    usage,
    hasOutput,
    translation.outputText(),
  ];
}

function anyCut(kind: string, wire: ChatWire, { fixtures: { target }, stream }: Cut): void {
  const bytes = Buffer.from(stream);
  const stateWith = (pieces: readonly Buffer[]): readonly unknown[] =>
    endState(streamed(wire.stream(batteryView, target), pieces));
  void test(`S-05 ${kind}: any cut of the bytes gives the same frames and the same end`, () => {
    const uncut = stateWith([bytes]);
    for (let at = 1; at < bytes.length; at++)
      assert.deepEqual(stateWith(cutAt(bytes, [at])), uncut, `cut at ${at}`);
    const everywhere = Array.from(bytes, (_, at) => at);
    assert.deepEqual(stateWith(cutAt(bytes, everywhere)), uncut, "one byte at a time");
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (positions) => {
        assert.deepEqual(stateWith(cutAt(bytes, positions)), uncut);
      }),
      { numRuns: 100 },
    );
  });
  void test(`S-06 ${kind}: other line ends give the same frames`, () => {
    for (const lineEnd of ["\r\n", "\r"]) {
      assert.deepEqual(stateWith([Buffer.from(stream.replaceAll("\n", lineEnd))]), stateWith([bytes]));
    }
  });
}

function ends(wire: ChatWire, { target, text: answer, silentStream }: ChatFixtures): void {
  const run = (bytes: Buffer): Streamed => streamed(wire.stream(batteryView, target), [bytes]);
  void test("the finish reason is kept back for closing", () => {
    const { beforeClosing } = run(Buffer.from(answer.stream));
    const collected = collect(framesOf(beforeClosing));
    assert.deepEqual([collected.content, collected.finishReason], [answer.expected.content, undefined]);
  });
  void test("a stream cut anywhere before its finish reason is not complete, and its text is counted", () => {
    const bytes = Buffer.from(answer.stream);
    const whole = run(bytes).translation.outputText();
    for (let length = 0; length < bytes.length; length++) {
      const { bytes: out, translation } = run(bytes.subarray(0, length));
      const collected = collect(framesOf(out));
      if (collected.finishReason === undefined) assert.equal(translation.complete, false, `cut at ${length}`);
      assert.ok(answer.expected.content.startsWith(collected.content));
      assert.ok(
        whole.startsWith(translation.outputText()) && translation.outputText().includes(collected.content),
      );
      assert.equal(translation.hasOutput, translation.outputText() !== "");
    }
  });
  void test("C-05 a stream without output says so, and an empty one as well", () => {
    for (const stream of ["", silentStream]) {
      const { translation } = run(Buffer.from(stream));
      assert.deepEqual(
        [translation.hasOutput, translation.complete, translation.outputText()],
        [false, false, ""],
      );
    }
  });
}

function failures(
  wire: ChatWire,
  { target, text: answer, brokenStream, unreadableEvent }: ChatFixtures,
): void {
  void test("S-07 an error event is a fault, and nothing comes after it", () => {
    const translation = wire.stream(batteryView, target);
    const before = framesOf(
      Buffer.from(translation.push(Buffer.from(brokenStream.stream)), translation.encoding),
    );
    assert.equal(translation.fault?.kind, brokenStream.kind);
    assert.notEqual(collect(before).content, "", "the text before the error was delivered");
    for (const frame of before)
      assert.equal("error" in frame, false, "the upstream's error is not forwarded");
    const counted = translation.outputText();
    const after = [translation.push(Buffer.from(answer.stream)), translation.end(), translation.closing()];
    assert.deepEqual(
      [...after, translation.complete, translation.outputText()],
      ["", "", "", false, counted],
    );
  });
  void test("an event that cannot be read is a fault, and nothing comes after it", () => {
    const translation = wire.stream(batteryView, target);
    assert.equal(translation.push(Buffer.from(unreadableEvent + answer.stream)), "");
    assert.deepEqual([translation.fault?.kind, translation.hasOutput], ["unreadable", false]);
    assert.deepEqual([translation.end(), translation.closing(), translation.complete], ["", "", false]);
  });
}
