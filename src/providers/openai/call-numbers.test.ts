import assert from "node:assert/strict";
import { test } from "node:test";
import { batteryView, collect, framesOf, list, object, streamed } from "../collected-chat.test-support.ts";
import { OpenaiStream } from "./stream.ts";
import { asEvents, plainTarget, toldChunk } from "./told-answers.test-support.ts";

const rome = '{"city":"Rome é"}';
const oslo = '{"city":"Oslo"}';

function run(...deltas: readonly (readonly object[])[]): Buffer {
  const chunks = deltas.map((calls) => toldChunk({ tool_calls: calls }, null, { model: batteryView.model }));
  const stream = new OpenaiStream(batteryView, plainTarget);
  return streamed(stream, [Buffer.from(asEvents(...chunks))]).bytes;
}

/** What clients put together: name, arguments. */
function callsIn(bytes: Buffer): readonly (readonly string[])[] {
  return collect(framesOf(bytes)).toolCalls.map((call) => [call.name, call.arguments]);
}

function indexes(bytes: Buffer): readonly unknown[] {
  const choices = framesOf(bytes).flatMap((frame) => list(frame["choices"]).map(object));
  const calls = choices.flatMap((choice) => list(object(choice["delta"])["tool_calls"]).map(object));
  return calls.map((call) => call["index"]);
}

function whole(id: string, city: string, more: object = {}): object {
  return { id, type: "function", function: { name: "weather", arguments: city }, ...more };
}

function begin(id: string, more: object = {}): object {
  return whole(id, "", more);
}

function rest(text: string, more: object = {}): object {
  return { function: { arguments: text }, ...more };
}

const both = [
  ["weather", rome],
  ["weather", oslo],
];

test("parallel calls that all have index 0 come as calls of their own, in frames of their own and in one", () => {
  const first = whole("call_1", rome, { index: 0 });
  const second = whole("call_2", oslo, { index: 0 });
  assert.deepEqual(callsIn(run([first], [second])), both);
  assert.deepEqual(callsIn(run([first, second])), both);
  const custom = { id: "call_3", index: 0, type: "custom", custom: { name: "sql", input: "select 1" } };
  assert.deepEqual(indexes(run([first], [custom], [second])), [0, 1, 2]);
});

test("a fragment without id belongs to the call that began last under its index", () => {
  const bytes = run(
    [begin("call_1", { index: 0 })],
    ...rome.split("").map((text) => [rest(text, { index: 0 })]),
    [begin("call_2", { index: 0 })],
    ...oslo.split("").map((text) => [rest(text, { index: 0 })]),
  );
  assert.deepEqual(callsIn(bytes), both);
});

test("calls without index are numbered, and so are their fragments", () => {
  assert.deepEqual(callsIn(run([whole("call_1", rome)], [whole("call_2", oslo)])), both);
  assert.deepEqual(callsIn(run([whole("", rome), whole("", oslo)])), both, "also without ids");
  const pieces = run(
    [begin("call_1")],
    [rest(rome)],
    [begin("call_2")],
    [rest('{"city":')],
    [rest('"Oslo"}')],
  );
  assert.deepEqual(callsIn(pieces), both);
  assert.deepEqual(callsIn(run([begin("call_1", { index: 0 })], [rest(rome)])), [["weather", rome]]);
});

test("a number that was given to another call is not given again", () => {
  const calls = ["a", "b"].map((id) => [whole(id, oslo, { index: 0 })]);
  assert.deepEqual(
    indexes(run(...calls, [whole("c", oslo, { index: 1 })], [rest("", { index: 1 })])),
    [0, 1, 2, 2],
  );
});

const rightStreams: Readonly<Record<string, readonly (readonly object[])[]>> = {
  "ids once": [
    [begin("call_1", { index: 0 })],
    [rest(rome, { index: 0 })],
    [begin("call_2", { index: 1 })],
    [rest(oslo, { index: 1 })],
    [rest(" ", { index: 0 })],
  ],
  "the same id and name in every fragment": [
    [whole("call_1", rome, { index: 0 })],
    [whole("call_1", " ", { index: 0 })],
    [whole("call_2", oslo, { index: 1 })],
    [whole("call_2", " ", { index: 1 })],
  ],
  "another id in every fragment": [
    [begin("call_1", { index: 0 })],
    [rest('{"city":', { index: 0, id: "call_2" })],
    [rest('"Rome"}', { index: 0, id: "call_3", name: "" })],
    [begin("call_4", { index: 1 })],
    [rest(oslo, { index: 1, id: "call_5" })],
  ],
  "the id after the name, or before it": [
    [begin("", { index: 0 })],
    [rest(rome, { index: 0, id: "call_1" })],
    [rest("", { index: 1, id: "call_2" })],
    [begin("call_3", { index: 1 })],
  ],
  "ids made of the tool's name": [
    [whole("weather", rome, { index: 0 })],
    [whole("weather", oslo, { index: 1 })],
  ],
  "the second call first": [[whole("call_2", oslo, { index: 1 })], [whole("call_1", rome, { index: 0 })]],
};

for (const [name, deltas] of Object.entries(rightStreams)) {
  test(`a stream whose calls have right numbers keeps its bytes: ${name}`, () => {
    const chunks = deltas.map((calls) =>
      toldChunk({ tool_calls: calls }, null, { model: batteryView.model }),
    );
    assert.equal(run(...deltas).toString(), asEvents(...chunks));
  });
}

test("each choice has numbers of its own", () => {
  const chunk = (index: number, call: object): string =>
    toldChunk({}, null, { choices: [{ index, delta: { tool_calls: [call] }, finish_reason: null }] });
  const stream = new OpenaiStream({ ...batteryView, choices: 2 }, plainTarget);
  const told = [
    [0, "call_1", rome],
    [1, "call_2", rome],
    [0, "call_3", oslo],
    [1, "call_4", oslo],
  ] as const;
  const chunks = told.map(([choice, id, city]) => chunk(choice, whole(id, city, { index: 0 })));
  const frames = framesOf(streamed(stream, [Buffer.from(asEvents(...chunks))]).bytes);
  for (const choice of [0, 1]) assert.deepEqual(collect(frames, choice).toolCalls.length, 2);
  assert.equal(stream.outputText(), `weather${rome}`.repeat(2) + `weather${oslo}`.repeat(2));
});

test("a righted frame is as another: our model's name, no usage, kept with its finish reason", () => {
  const stream = new OpenaiStream(batteryView, plainTarget);
  const first = toldChunk({ tool_calls: [whole("call_1", rome, { index: 0 })] });
  const last = toldChunk({ tool_calls: [whole("call_2", oslo, { index: 0 })] }, "tool_calls", {
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  });
  const { bytes, beforeClosing } = streamed(stream, [Buffer.from(asEvents(first, last))]);
  assert.equal(framesOf(beforeClosing).length, 1);
  const [, frame] = framesOf(bytes);
  assert.deepEqual([frame?.["model"], frame?.["usage"]], [batteryView.model, undefined]);
  assert.deepEqual([callsIn(bytes), stream.complete], [both, true]);
});

test("a stream of calls without end does not fill memory with their numbers", () => {
  const stream = new OpenaiStream(batteryView, plainTarget);
  for (let call = 0; call < 3_000; call++) {
    const chunk = toldChunk({ tool_calls: [whole(`call_${call}`, "{}", { index: 0 })] });
    const bytes = Buffer.from(stream.push(Buffer.from(asEvents(chunk))), "latin1");
    assert.deepEqual(indexes(bytes), [call < 1_024 ? call : 0]);
  }
});
