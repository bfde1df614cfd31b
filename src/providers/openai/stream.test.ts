import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batteryView, collect, cutAt, framesOf, streamed } from "../collected-chat.test-support.ts";
import type { Streamed } from "../collected-chat.test-support.ts";
import type { AnswerView } from "../wire.ts";
import { OpenaiStream } from "./stream.ts";
import { asEvents, plainTarget, toldChunk, toldUsage, toldUsageChunk } from "./told-answers.test-support.ts";

const { model } = batteryView;

function run(stream: string, view: AnswerView = batteryView): Streamed {
  return streamed(new OpenaiStream(view, plainTarget), [Buffer.from(stream)]);
}

function choice(index: number, delta: object, finishReason: string | null = null): string {
  return toldChunk({}, null, { choices: [{ index, delta, finish_reason: finishReason }] });
}

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
  fc.string({
    unit: fc.constantFrom('"', "\\", "{", "}", ",", "a", "é", "\n", "\u0001", "slot-of-the-content"),
  }),
);
const anyDelta = fc.oneof(
  { weight: 6, arbitrary: fc.record({ content: anyText }) },
  fc.record({ reasoning_content: anyText }),
  fc.record({ content: fc.constantFrom(null, ""), reasoning_content: anyText }),
  fc.record({
    content: anyText,
    reasoning: anyText,
    annotations: fc.constant([{ content: "x", arguments: "y" }]),
  }),
  fc.record({
    tool_calls: fc.tuple(fc.record({ index: fc.nat(1), function: fc.record({ arguments: anyText }) })),
  }),
  fc.record({ role: fc.constant("assistant"), content: anyText, refusal: anyText }),
);
const anyChunk = fc
  .tuple(
    anyDelta,
    fc.record(
      { obfuscation: anyText, created: fc.nat(1), model: fc.constantFrom(model, "m") },
      { requiredKeys: [] },
    ),
  )
  .map(([delta, more]) => toldChunk(delta, null, more));

test("S-09 frames written from a template are the frames that reading each of them gives", () => {
  const spelled = fc
    .tuple(anyChunk, fc.constantFrom("plain", "escaped", "spaced"))
    .map(([chunk, spelling]) => {
      if (spelling === "escaped")
        return chunk.replaceAll(
          /[^\0-\u007f]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
      return spelling === "spaced" ? chunk.replaceAll('"content":', '"content" : ') : chunk;
    });
  fc.assert(
    fc.property(fc.array(spelled, { maxLength: 12 }), (chunks) => {
      const one = run(asEvents(...chunks));
      const each = chunks.map((chunk) => run(asEvents(chunk)));
      assert.equal(one.bytes.toString(), each.map(({ bytes }) => bytes.toString()).join(""));
      const texts = each.map(({ translation }) => translation.outputText());
      assert.equal(one.translation.outputText(), texts.join(""));
      assert.equal(
        one.translation.hasOutput,
        each.some(({ translation }) => translation.hasOutput),
      );
      assert.deepEqual([one.translation.fault, one.translation.complete], [undefined, false]);
    }),
    { numRuns: 2_000 },
  );
});

test("a frame that only resembles the ones before is still read, and refused when it is no JSON", () => {
  const frame = toldChunk({ content: "SLOT" });
  const damaged = [
    frame.replace("SLOT", "a\tb"),
    frame.replace("SLOT", "a\u0000b"),
    frame.replace("SLOT", "a\\xb"),
    frame.replace("SLOT", "a\\u12"),
    `${frame}}`,
    frame.slice(0, -1),
  ];
  for (const data of damaged) {
    const { bytes, translation } = run(asEvents(frame, frame, data, frame));
    assert.deepEqual([framesOf(bytes).length, translation.fault?.kind], [2, "unreadable"], data);
  }
});

test("another string of the same name in the frame is not taken for the output", () => {
  const frame = (note: string): string => toldChunk({ notes: [{ content: note }], content: "out" });
  const { bytes, translation } = run(asEvents(frame("one"), frame("two"), frame("three")));
  assert.equal(translation.outputText(), "outoutout");
  assert.equal(collect(framesOf(bytes)).content, "outoutout");
});

test("a stream cut within a frame is unfinished, not unreadable", () => {
  const frame = toldChunk({ content: "a" });
  const { bytes, translation } = run(asEvents(frame) + `data: ${frame.slice(0, 50)}`);
  assert.deepEqual([framesOf(bytes).length, translation.fault, translation.complete], [1, undefined, false]);
});

test("S-09 a frame that needs no change keeps its bytes, and another one all its other members' bytes", () => {
  const nested =
    '[{"index":0,"delta":{"content":"é\\u00e9"},"logprobs":{"x":[1e-7,12345678901234567890,null]},"new":{}}]';
  const frame = (name: string): string =>
    `{"id":"a", "object":"chat.completion.chunk","created":5,"model":"${name}","choices":${nested},"odd\\u00e9é":1.0}`;
  assert.equal(run(asEvents(frame(model))).bytes.toString(), asEvents(frame(model)));
  const changed = run(asEvents(frame("other"))).bytes.toString();
  assert.equal(changed, asEvents(frame(model).replace(", ", ",").replace('\\u00e9é":1', 'éé":1')));
});

test("U-12 the model's name is the asked one in every frame, also when it is not ASCII", () => {
  const view = { ...batteryView, model: "modèle-日本" };
  const { bytes } = run(
    asEvents(toldChunk({ content: "ä" }), toldChunk({ content: "ö" }), toldChunk({ content: "\n" })),
    view,
  );
  assert.deepEqual(
    framesOf(bytes).map((frame) => frame["model"]),
    [view.model, view.model, view.model],
  );
  assert.equal(collect(framesOf(bytes)).content, "äö\n");
});

test("missing ids and times are ours, and what tells cost or source is left out", () => {
  const chunk = JSON.stringify({
    choices: [{ index: 0, delta: { content: "a" } }],
    x_groq: { usage: toldUsage },
    provider: "X",
    cost_in_usd_ticks: 5,
    num_sources_used: 0,
    service_tier: "default",
  });
  const [frame] = framesOf(run(asEvents(chunk)).bytes);
  assert.deepEqual(frame, {
    choices: [{ index: 0, delta: { content: "a" } }],
    service_tier: "default",
    id: batteryView.id,
    object: "chat.completion.chunk",
    created: batteryView.created,
    model,
  });
});

test("S-08 usage is taken from wherever it stands, the last one counts, and none is forwarded", () => {
  const usage = (output: number): object => ({ ...toldUsage, completion_tokens: output });
  const stream = asEvents(
    toldChunk({ content: "a" }, null, { usage: usage(1) }),
    toldChunk({ content: "b" }, null, { usage: usage(2) }),
    toldChunk({ content: "c" }, "stop", { usage: usage(3) }),
    toldUsageChunk.replace('"completion_tokens":7', '"completion_tokens":4'),
    "[DONE]",
  );
  const { bytes, translation } = run(stream);
  assert.equal(translation.usage?.meters.output_tokens, 4);
  const frames = framesOf(bytes);
  assert.deepEqual(
    frames.map((frame) => "usage" in frame),
    [false, false, false],
  );
  assert.equal(collect(frames).content, "abc");
});

test("a frame with content and finish reason is kept whole until closing", () => {
  const { bytes, beforeClosing, translation } = run(
    asEvents(toldChunk({ content: "a" }), toldChunk({ content: "b" }, "length")),
  );
  assert.equal(collect(framesOf(beforeClosing)).content, "a");
  assert.deepEqual(collect(framesOf(bytes)), {
    content: "ab",
    reasoning: "",
    toolCalls: [],
    finishReason: "length",
  });
  assert.deepEqual([translation.complete, translation.outputText()], [true, "ab"]);
});

test("output that is kept with the finish reason counts when it is given out, not before", () => {
  const stream = new OpenaiStream(batteryView, plainTarget);
  const counted = (): readonly unknown[] => [stream.hasOutput, stream.outputText(), stream.outputLength];
  assert.equal(stream.push(Buffer.from(asEvents(toldChunk({ content: "ab" }, "stop")))), "");
  assert.deepEqual([stream.complete, ...counted()], [true, false, "", 0]);
  stream.push(Buffer.from(asEvents(toldChunk({ content: "c" }))));
  assert.deepEqual(counted(), [true, "abc", 3], "frames that were kept go before later ones");
  stream.push(Buffer.from(asEvents(toldChunk({ content: "d" }, "stop"))));
  assert.deepEqual(counted(), [true, "abc", 3]);
  assert.notEqual(stream.closing(), "");
  assert.deepEqual(counted(), [true, "abcd", 4]);
});

test("of several choices the finish frames wait, but go before later content", () => {
  const view = { ...batteryView, choices: 2 };
  const first = asEvents(
    choice(0, { content: "a" }),
    choice(1, { content: "x" }),
    choice(0, {}, "stop"),
    choice(1, {}),
  );
  const stream = new OpenaiStream(view, plainTarget);
  const early = framesOf(Buffer.from(stream.push(Buffer.from(first)), "latin1"));
  assert.deepEqual([collect(early, 0).finishReason, stream.complete], [undefined, false]);
  const later = framesOf(
    Buffer.from(
      stream.push(Buffer.from(asEvents(choice(1, { content: "y" }), choice(1, {}, "length")))),
      "latin1",
    ),
  );
  assert.deepEqual(
    [collect(later, 0).finishReason, collect(later, 1).content, collect(later, 1).finishReason],
    ["stop", "y", undefined],
  );
  assert.equal(stream.complete, true);
  assert.equal(collect(framesOf(Buffer.from(stream.closing(), "latin1")), 1).finishReason, "length");
  assert.equal(stream.closing(), "", "what was given out is not given again");
});

test("an empty delta after the finish reason does not let it out", () => {
  const { beforeClosing, bytes } = run(
    asEvents(
      toldChunk({ content: "a" }),
      toldChunk({ content: "b" }),
      toldChunk({}, "stop"),
      toldChunk({ content: "" }),
    ),
  );
  assert.equal(collect(framesOf(beforeClosing)).finishReason, undefined);
  assert.equal(framesOf(bytes).length, 4);
});

/** Before and after the proper end of what came. */
function completeness(choices: number, text: string): readonly boolean[] {
  const stream = new OpenaiStream({ ...batteryView, choices }, plainTarget);
  stream.push(Buffer.from(text));
  const before = stream.complete;
  stream.end();
  return [before, stream.complete];
}

test("S-06 a stream is complete with its finish reasons, or with [DONE] after at least one", () => {
  const complete = (choices: number, ...data: string[]): boolean | undefined =>
    completeness(choices, asEvents(...data))[0];
  assert.equal(complete(1, choice(0, {}, "stop")), true);
  assert.equal(complete(2, choice(0, {}, "stop")), false);
  assert.equal(complete(2, choice(0, {}, "stop"), choice(0, {}, "stop")), false);
  assert.equal(complete(2, choice(0, {}, "stop"), choice(1, {}, "stop")), true);
  assert.equal(complete(2, choice(0, {}, "stop"), "[DONE]"), true);
  assert.equal(complete(1, choice(0, { content: "a" }), "[DONE]"), false);
});

test("S-06 at its proper end a stream is complete with a finish reason for every choice that began", () => {
  const [one, other] = [choice(0, { content: "a" }), choice(1, { content: "b" })];
  const finishes = [choice(0, {}, "stop"), choice(1, {}, "stop")] as const;
  const cut = `data: ${other.slice(0, 50)}`;
  assert.deepEqual(completeness(3, asEvents(one, finishes[0], toldUsageChunk)), [false, true]);
  assert.deepEqual(completeness(3, asEvents(one, other, ...finishes)), [false, true]);
  assert.deepEqual(completeness(3, asEvents(one, other, finishes[0])), [false, false], "one is unfinished");
  assert.deepEqual(
    completeness(3, asEvents(one, finishes[0]) + cut),
    [false, false],
    "the next one is cut off",
  );
  assert.deepEqual(completeness(3, asEvents(one, other)), [false, false]);
  assert.deepEqual(completeness(3, asEvents(choice(7, {}, "stop"), one)), [false, false]);
  assert.deepEqual(completeness(3, ""), [false, false]);
});

test("S-06 nothing after [DONE] is read", () => {
  const { bytes, translation } = run(
    asEvents(toldChunk({ content: "a" }, "stop"), "[DONE]", toldChunk({ content: "b" }), "{"),
  );
  assert.deepEqual(
    [collect(framesOf(bytes)).content, translation.fault, translation.complete],
    ["a", undefined, true],
  );
});

test("S-06 data of several lines becomes a frame of one line", () => {
  const lines = toldChunk({ content: "a" }).replaceAll(",", ",\ndata: ");
  for (const view of [batteryView, { ...batteryView, model: "upstream-model-2026-01-01" }]) {
    assert.equal(collect(framesOf(run(`data: ${lines}\n\n`, view).bytes)).content, "a");
  }
});

test("S-07 every form of an error in a stream is a fault, and is not forwarded", () => {
  const errors: readonly (readonly [string, string])[] = [
    ['data: {"error":{"message":"m","type":"server_error"}}\n\n', "broken"],
    ['data: [{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m"}}]\n\n', "overloaded"],
    ['event: error\ndata: {"message":"m"}\n\n', "broken"],
    ["event: error\ndata: busy\n\n", "broken"],
    [asEvents(toldChunk({ content: "" }, "error")), "broken"],
    [asEvents(toldChunk({}, "insufficient_system_resource", { usage: toldUsage })), "overloaded"],
    [asEvents(toldChunk({ content: "b" }, "error", { error: { code: 502, message: "m" } })), "broken"],
    [
      asEvents(toldChunk({}, null, { choices: [{ index: 0, delta: {}, error: { code: 503 } }] })),
      "overloaded",
    ],
    ['data: {"error":{"code":"insufficient_quota"}}\n\n', "account"],
    ["data: oops\n\n", "unreadable"],
    ["data: null\n\n", "unreadable"],
    [asEvents(toldChunk({ content: "b" }).replace("{", '{"id":1,')), "unreadable"],
    [`data: ${"x".repeat(5 * 1024 * 1024)}`, "unreadable"],
  ];
  for (const [error, kind] of errors) {
    const { bytes, translation } = run(
      asEvents(toldChunk({ content: "a" })) + error + asEvents(toldChunk({ content: "c" }, "stop")),
    );
    assert.equal(translation.fault?.kind, kind, error.slice(0, 100));
    assert.equal(collect(framesOf(bytes)).content, "a");
    assert.deepEqual([translation.complete, translation.outputText()], [false, "a"]);
  }
});

test("Azure's first frame without choices, comments and other events change nothing", () => {
  const stream = `: OPENROUTER PROCESSING\n\nid: 1\nevent: ping\n\ndata: {"choices":[],"prompt_filter_results":[]}\n\n`;
  const { bytes, translation } = run(stream + asEvents(toldChunk({ content: "a" })));
  assert.equal(framesOf(bytes).length, 1);
  assert.equal(translation.fault, undefined);
});

test("S-02 memory for the text is bounded: half a mebibyte is kept, and all of it is measured", () => {
  const stream = new OpenaiStream(batteryView, plainTarget);
  const chunk = Buffer.from(asEvents(toldChunk({ content: "word ".repeat(200_000) })));
  for (let count = 0; count < 6; count++) assert.notEqual(stream.push(chunk), "");
  assert.equal(stream.outputText().length, 512 * 1024);
  assert.equal(stream.outputLength, 6_000_000);
});

test("I-04 members named like parts of objects do no harm", () => {
  const chunk = toldChunk({ content: "a" }).replace(
    "{",
    '{"__proto__":{"error":1},"constructor":{"prototype":2},',
  );
  const { bytes, translation } = run(asEvents(chunk, chunk));
  assert.equal(translation.fault, undefined);
  assert.equal(bytes.toString().split('"__proto__":{"error":1},"constructor":{"prototype":2}').length, 3);
  assert.equal(Object.hasOwn(Object.prototype, "error"), false);
});

test("one long stream in random reads gives the same bytes as in one", () => {
  const chunks = Array.from({ length: 2_000 }, (_, index) =>
    toldChunk({ content: ` tøken ${index}` }, null, { obfuscation: "x".repeat(index % 7) }),
  );
  const stream = asEvents(...chunks, toldChunk({}, "stop"), toldUsageChunk, "[DONE]");
  const whole = run(stream).bytes;
  const pieces = cutAt(
    Buffer.from(stream),
    Array.from({ length: 500 }, (_, index) => index * 7_919),
  );
  assert.deepEqual(streamed(new OpenaiStream(batteryView, plainTarget), pieces).bytes, whole);
});

test("an empty finish reason is none: what comes with it flows at once, and does not end the answer", () => {
  const stream = new OpenaiStream(batteryView, plainTarget);
  const pushed = (chunk: string) =>
    framesOf(Buffer.from(stream.push(Buffer.from(asEvents(chunk))), "latin1"));
  const texts = ["Hel", "lo", " there", " you"];
  for (const content of texts) {
    assert.deepEqual(
      pushed(choice(0, { content }, "")).map(({ choices }) => choices),
      [[{ index: 0, delta: { content }, finish_reason: null }]],
    );
    assert.equal(stream.complete, false);
  }
  assert.deepEqual(pushed(choice(0, {}, "stop")), []);
  assert.equal(stream.complete, true);
  assert.equal(stream.outputText(), texts.join(""));
  assert.match(stream.closing(), /"finish_reason":"stop"/);
});

test("a stream that Gemini's filters stop ends with content_filter, with or without content before", () => {
  for (const reason of ["content_filter: PROHIBITED_CONTENT", "BLOCKLIST"])
    for (const content of ["", "Once"]) {
      const blocked = toldChunk({}, null, { choices: [{ index: 0, finish_reason: reason }] });
      const before = content === "" ? [] : [choice(0, { content })];
      const { bytes } = run(asEvents(...before, blocked));
      const seen = collect(framesOf(bytes));
      assert.deepEqual([seen.content, seen.finishReason], [content, "content_filter"]);
    }
});
