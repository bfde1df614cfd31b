import assert from "node:assert/strict";
import { test } from "node:test";
import { EventReader } from "./event-reader.ts";

const stream =
  'data: {"a":1}\n\n' +
  ": a comment\n\n" +
  "event: named\r\ndata: two\r\ndata:lines\r\n\r\n" +
  "id: 7\rdata: by carriage\r\r" +
  "data\n\n" +
  "data:  one space stays\n\ndata: [DONE]\n\n";
const events = ['{"a":1}', "two\nlines", "by carriage", "", " one space stays", "[DONE]"];

function read(pieces: readonly string[]): readonly string[] {
  const reader = new EventReader();
  return pieces.flatMap((piece) => reader.push(piece));
}

test("Events are the same wherever the text is cut in two or three.", () => {
  assert.deepEqual(read([stream]), events);
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
      assert.deepEqual(read(pieces), events, `cut at ${first} and ${second}`);
    }
  }
});

test("Events are the same when every character comes alone.", () => {
  assert.deepEqual(read(stream.split("")), events);
});

test("An event that is not ended by an empty line is not told.", () => {
  assert.deepEqual(read(["data: whole\n\ndata: half\n"]), ["whole"]);
});
