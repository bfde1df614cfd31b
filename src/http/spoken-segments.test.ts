import assert from "node:assert/strict";
import { test } from "node:test";
import { segmentsIn, subtitlesOf, wordsIn } from "./spoken-segments.ts";

const word = (text: string, start: number, end = start + 0.4) => ({ word: text, start, end });

test("words become pieces that end with a sentence, a pause, or before they are too long", () => {
  const words = [
    word("Hello", 0),
    word("there.", 0.5),
    word("And", 1),
    word("then", 3),
    ...Array.from({ length: 20 }, (_, at) => word("syllables", 4 + at * 0.5)),
  ];
  const pieces = segmentsIn({ words });
  assert.deepEqual(pieces.slice(0, 2), [
    { start: 0, end: 0.9, text: "Hello there." },
    { start: 1, end: 1.4, text: "And" },
  ]);
  assert.ok(pieces.every(({ text }) => text.length <= 84));
  assert.equal(pieces.map(({ text }) => text).join(" "), words.map((one) => one.word).join(" "));
});

test("words of other forms are understood; spaces and sounds between them are none", () => {
  const words = [
    { text: "One", type: "word", start: 0, end: 1 },
    { text: " ", type: "spacing", start: 1, end: 1 },
    { text: "(laughs)", type: "audio_event", start: 1, end: 2 },
    { text: "two", start: 2, end: 3 },
    { text: "three" },
    "four",
  ];
  assert.deepEqual(wordsIn({ words }), [
    { text: "One", start: 0, end: 1 },
    { text: "two", start: 2, end: 3 },
  ]);
  assert.deepEqual(segmentsIn({ text: "no times" }), []);
  const told = segmentsIn({ segments: [{ start: 0, end: 9, text: " As told. " }], words });
  assert.deepEqual(told, [{ start: 0, end: 9, text: "As told." }]);
});

test("subtitles have the times and marks of their form, over hours, and no text breaks it", () => {
  const segments = [
    { start: 0, end: 1.5, text: "One\n\ntwo --> three" },
    { start: 3_661.0004, end: 3_662.9996, text: "Late" },
  ];
  assert.equal(
    subtitlesOf(segments, "srt"),
    "1\n00:00:00,000 --> 00:00:01,500\nOne two → three\n\n2\n01:01:01,000 --> 01:01:03,000\nLate\n",
  );
  assert.equal(
    subtitlesOf(segments, "vtt"),
    "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne two → three\n\n01:01:01.000 --> 01:01:03.000\nLate\n",
  );
  assert.equal(subtitlesOf([], "vtt"), "WEBVTT\n\n");
});
