import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ServerEvents } from "./server-events.ts";

type Split = {
  readonly events: readonly (readonly [data: string, name: string])[];
  readonly tooLong: boolean;
};

function split(pieces: readonly string[], maxEventBytes?: number): Split {
  const events: [string, string][] = [];
  const splitter = new ServerEvents((data, name) => events.push([data, name]), maxEventBytes);
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return { events, tooLong: splitter.tooLong };
}

function dataOf(...pieces: readonly string[]): readonly string[] {
  return split(pieces).events.map(([data]) => data);
}

function cut(text: string, positions: readonly number[]): readonly string[] {
  const inner = positions.map((position) => position % (text.length + 1)).sort((one, other) => one - other);
  const edges = [0, ...inner, text.length];
  return edges.slice(1).map((edge, index) => text.slice(edges[index], edge));
}

/** The same rules told slowly: the whole text at once, line by line. */
function reference(text: string): Split["events"] {
  const events: [string, string][] = [];
  let data: string[] = [];
  let name = "";
  for (const line of [...text.replace(/^\u00ef\u00bb\u00bf/, "").split(/\r\n|\r|\n/), ""]) {
    const [, field, value] = /^([^:]*):? ?([^]*)$/.exec(line) ?? [];
    if (line === "") {
      if (data.join("\n") !== "") events.push([data.join("\n"), name]);
      data = [];
      name = "";
    } else if (field === "data") data.push(value ?? "");
    else if (field === "event") name = value ?? "";
  }
  return events;
}

const streamText = fc
  .array(
    fc.constantFrom(
      "data:",
      "data: ",
      "data: {}",
      "data",
      "event: error",
      "event:x",
      "id: 1",
      "retry: 5",
      ": note",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      " ",
      "é",
      "x",
      "\u00ef\u00bb\u00bf",
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

test("S-06 any cut of any stream gives the events that the standard's rules give", () => {
  fc.assert(
    fc.property(streamText, fc.array(fc.nat(), { maxLength: 8 }), (text, positions) => {
      const expected = reference(text);
      assert.deepEqual(split([text]).events, expected);
      assert.deepEqual(split(cut(text, positions)).events, expected);
      assert.deepEqual(split(text.split("")).events, expected);
      assert.deepEqual(split(["", ...cut(text, positions).flatMap((piece) => [piece, ""])]).events, expected);
    }),
    { numRuns: 3_000 },
  );
});

test("S-06 line feeds, carriage returns, both and mixes are line ends", () => {
  for (const end of ["\n", "\r\n", "\r"])
    assert.deepEqual(dataOf(`data: a${end}${end}data:b${end}${end}`), ["a", "b"]);
  assert.deepEqual(dataOf("data: a\r\n\rdata: b\r\r\ndata: c\n\r\n"), ["a", "b", "c"]);
  assert.deepEqual(dataOf("data: a\r", "\n\r", "\ndata: b\r\n\r\n"), ["a", "b"]);
});

test("S-06 other fields, comments, a byte order mark and a missing last blank line change nothing", () => {
  assert.deepEqual(dataOf(": hello\n\nid: 7\nretry: 10\ndata: a\n\n:\n\n"), ["a"]);
  assert.deepEqual(dataOf("\u00ef", "\u00bb", "\u00bfdata: a\n\n"), ["a"]);
  assert.deepEqual(dataOf("data: a\n\ndata: b"), ["a", "b"]);
  assert.deepEqual(dataOf("data: a\n\ndata: b\n"), ["a", "b"]);
  assert.deepEqual(dataOf("data:  two spaces\n\ndata\n\ndata:\n\n"), [" two spaces"]);
  assert.deepEqual(dataOf("data: a\ndata:\ndata: b\n\n"), ["a\n\nb"]);
});

test("an event's name belongs to that event only", () => {
  const { events } = split(["event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n"]);
  assert.deepEqual(events, [
    ["a", "error"],
    ["b", ""],
    ["c", ""],
  ]);
});

test("S-06 five thousand events in one packet and one event of a megabyte pass", () => {
  assert.equal(dataOf("data: {}\n\n".repeat(5_000)).length, 5_000);
  const large = "x".repeat(1024 * 1024);
  assert.deepEqual(dataOf(...cut(`data: ${large}\n\n`, [10, 70_000, 500_000])), [large]);
});

test("S-06 an event above the cap ends the reading, however it is cut", () => {
  const before = "data: ok\n\n";
  const long = [
    `data: ${"x".repeat(95)}\n\n`,
    `data: ${"x".repeat(95)}`,
    `: ${"x".repeat(99)}\n`,
    `data: ${"x".repeat(50)}\ndata: ${"x".repeat(50)}\n\n`,
    `data: ${"x".repeat(50)}\r\ndata: ${"x".repeat(50)}\r\n\r\n`,
  ];
  for (const text of long) {
    const stream = `${before}${text}data: lost\n\n`;
    for (const pieces of [[stream], stream.split(""), cut(stream, [30, 60, 90])]) {
      assert.deepEqual(split(pieces, 100), { events: [["ok", ""]], tooLong: true });
    }
  }
  const fits = `data: ${"x".repeat(94)}\n\n`;
  for (const pieces of [[fits], fits.split("")]) assert.equal(split(pieces, 100).tooLong, false);
});

test("a line that never ends costs time and memory in proportion to its length", () => {
  const events: string[] = [];
  const splitter = new ServerEvents((data) => events.push(data));
  for (let count = 0; count < 1_000_000; count++) splitter.push("x");
  splitter.push("\n\ndata: a\n\n");
  assert.deepEqual(events, ["a"]);
});
