/**
 * The samples are a tone of 1.234 seconds (16 kHz, one channel) written by ffmpeg 5.1: `streamed`, `live` and `pieces`
 * to a pipe, where the length is not known when the header is written; `bare` without an encoder's note.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { audioFormat, audioLength } from "./audio-duration.ts";

const folder = join(import.meta.dirname, "samples");
const samples = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));

/** Lossy formats hold whole frames: what the encoder added is only told in some of them. */
const leeways: Readonly<Record<string, number>> = {
  "bare.mp3": 0.12,
  "adpcm.wav": 0.07,
  "pieces.m4a": 0.13,
  "live.webm": 0.03,
  "whole.webm": 0.03,
};

for (const { name, bytes } of samples)
  test(`the length of ${name} is read from its bytes`, () => {
    const ending = name.slice(name.indexOf(".") + 1);
    const length = audioLength(bytes);
    assert.equal(length?.format, ending === "m4a" ? "mp4" : ending);
    const leeway = leeways[name] ?? 0.0015;
    assert.ok(Math.abs(length.seconds - 1.234) <= leeway, `${length.seconds}`);
  });

test("there are samples of every format", () => {
  const formats = new Set(samples.map(({ bytes }) => String(audioFormat(bytes))));
  for (const format of ["flac", "mp3", "mp4", "ogg", "wav", "webm"])
    assert.ok(formats.delete(format), format);
  assert.equal(formats.size, 0);
});

function sample(name: string): Buffer {
  const found = samples.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return Buffer.from(found.bytes);
}

test("WAV of every kind is measured by its samples, whatever sizes its header has", () => {
  const kinds = fc.record({
    tag: fc.constantFrom(1, 3, 6, 7, 0xfffe),
    channels: fc.integer({ min: 1, max: 8 }),
    bits: fc.constantFrom(8, 16, 24, 32),
    rate: fc.constantFrom(8000, 11_025, 44_100, 48_000, 192_000),
    moments: fc.integer({ min: 1, max: 2000 }),
    declared: fc.constantFrom("true", "endless", "zero", "2 GB"),
    chunksBefore: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(kinds, ({ tag, channels, bits, rate, moments, declared, chunksBefore }) => {
      const block = (channels * bits) / 8;
      const format = Buffer.alloc(16);
      format.writeUInt16LE(tag, 0);
      format.writeUInt16LE(channels, 2);
      format.writeUInt32LE(rate, 4);
      format.writeUInt32LE(rate * block, 8);
      format.writeUInt16LE(block, 12);
      format.writeUInt16LE(bits, 14);
      const data = Buffer.alloc(moments * block);
      const said = { true: data.length, endless: 0xffff_ffff, zero: 0, "2 GB": 0x7fff_f000 }[declared];
      const wav = Buffer.concat([
        Buffer.from("RIFF\xff\xff\xff\xffWAVE", "latin1"),
        ...chunksBefore.map((size) => chunk("JUNK", Buffer.alloc(size))),
        chunk("fmt ", format),
        chunk("data", data, said),
      ]);
      const expected = Math.round((moments / rate) * 1000) / 1000;
      assert.deepEqual(audioLength(wav), expected === 0 ? undefined : { format: "wav", seconds: expected });
    }),
  );
});

function chunk(id: string, body: Buffer, declared = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, "latin1");
  head.writeUInt32LE(declared, 4);
  // Who does not know the length of what is yet to come does not fill it up to an even one either.
  const filling = declared === body.length ? body.length % 2 : 0;
  return Buffer.concat([head, body, Buffer.alloc(filling)]);
}

test("tags before and after an MP3, and junk within, do not count", () => {
  const bare = sample("bare.mp3");
  const plain = audioLength(bare)?.seconds;
  const tag = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\x02\x00", "latin1"), Buffer.alloc(256, 0xff)]);
  const cover = Buffer.concat([Buffer.from("TAG"), Buffer.alloc(125, "x")]);
  const middle = 144 * 10;
  for (const dressed of [
    Buffer.concat([tag, bare]),
    Buffer.concat([tag, bare, cover]),
    Buffer.concat([Buffer.alloc(300), bare]),
    Buffer.concat([bare.subarray(0, middle), Buffer.alloc(77, 0xaa), bare.subarray(middle)]),
  ])
    assert.ok(Math.abs((audioLength(dressed)?.seconds ?? 0) - (plain ?? 0)) < 0.08);
});

test("an MP3 that was cut is as long as what is left of it; two in a row are added up", () => {
  const bare = sample("bare.mp3");
  const half = audioLength(bare.subarray(0, bare.length / 2))?.seconds ?? 0;
  assert.ok(Math.abs(half - 1.296 / 2) < 0.08, String(half));
  const twice = audioLength(Buffer.concat([bare, bare]))?.seconds ?? 0;
  assert.ok(Math.abs(twice - 2 * (audioLength(bare)?.seconds ?? 0)) < 0.01);
});

test("OGG streams that follow each other are added up", () => {
  const twice = Buffer.concat([sample("vorbis.ogg"), sample("opus.ogg")]);
  assert.deepEqual(audioLength(twice), { format: "ogg", seconds: 2.468 });
});

test("a length that a header makes up is not believed where the sound says otherwise", () => {
  const forgeries: readonly (readonly [string, (bytes: Buffer) => void])[] = [
    ["whole.flac", (bytes) => bytes.fill(0, 22, 26).writeUInt8(9, 25)],
    ["opus.ogg", (bytes) => forEach(bytes, "OggS", (at) => bytes.writeBigInt64LE(400n, at + 6))],
    ["whole.webm", (bytes) => forEach(bytes, "\x44\x89\x88", (at) => bytes.writeDoubleBE(1, at + 3))],
    ["streamed.wav", (bytes) => bytes.writeUInt16LE(60_000, 32)],
  ];
  for (const [name, forge] of forgeries) {
    const bytes = sample(name);
    forge(bytes);
    const seconds = audioLength(bytes)?.seconds ?? 0;
    assert.ok(seconds > 1.1 && seconds < 1.5, `${name}: ${seconds}`);
  }
  const m4a = sample("whole.m4a");
  forEach(m4a, "stts", (at) => m4a.writeUInt32BE(1, at + 16));
  forEach(m4a, "elst", (at) => m4a.writeUInt32BE(1, at + 12));
  // A minute of frames that the table of times calls a moment.
  forEach(m4a, "stsz", (at) => m4a.writeUInt32BE(938, at + 12));
  const seconds = audioLength(m4a)?.seconds ?? 0;
  assert.ok(Math.abs(seconds - (938 * 1024) / 16_000) < 0.01, String(seconds));
});

function forEach(bytes: Buffer, mark: string, forge: (at: number) => void): void {
  let found = 0;
  for (let at = bytes.indexOf(mark, 0, "latin1"); at !== -1; at = bytes.indexOf(mark, at + 1, "latin1")) {
    forge(at);
    found += 1;
  }
  assert.ok(found > 0, `${mark} is not in it`);
}

test("what is no recording has no length", () => {
  const others = [
    "",
    "RIFF",
    "hello",
    "<html>",
    "\x89PNG\r\n\x1a\n",
    "%PDF-1.7",
    "ID3",
    "OggS",
    "fLaC",
    "\x1aEß£",
  ];
  for (const text of others) assert.equal(audioLength(Buffer.from(text, "latin1")), undefined, text);
  assert.equal(audioLength(Buffer.alloc(100_000)), undefined);
});

function isHarmless(bytes: Buffer): void {
  const begun = performance.now();
  const length = audioLength(bytes);
  assert.ok(length === undefined || (Number.isFinite(length.seconds) && length.seconds > 0));
  assert.ok(performance.now() - begun < 20_000);
}

const starts = [
  "RIFF\0\0\0\0WAVE",
  "ID3\x03\0\0\0\0\0\0",
  "fLaC",
  "OggS",
  "\0\0\0\x10ftyp",
  "\x1a\x45\xdf\xa3",
  "\xff\xfb",
];

test("any bytes are read to an end without an error", () => {
  const bytes = fc.tuple(fc.constantFrom("", ...starts), fc.uint8Array({ maxLength: 600 }));
  fc.assert(
    fc.property(bytes, ([start, rest]) => {
      isHarmless(Buffer.concat([Buffer.from(start, "latin1"), rest]));
    }),
    { numRuns: 2000 },
  );
});

test("recordings with bytes changed, cut out or doubled are read to an end without an error", () => {
  const change = fc.record({
    original: fc.constantFrom(...samples.map((one) => one.bytes)),
    edits: fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff),
        fc.integer({ min: 1, max: 8 }),
      ),
      { maxLength: 12 },
    ),
    cut: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
  });
  fc.assert(
    fc.property(change, ({ original, edits, cut: [from, to] }) => {
      const bytes = Buffer.concat([
        original.subarray(0, Math.floor(from * original.length)),
        original.subarray(Math.floor(to * original.length)),
      ]);
      for (const [place, value, count] of edits) {
        const at = Math.floor(place * bytes.length);
        bytes.fill(value, at, Math.min(at + count, bytes.length));
      }
      isHarmless(bytes);
    }),
    { numRuns: 3000 },
  );
});

test("the worst that millions of bytes can be made to look like takes no more than seconds", () => {
  const size = 8_000_000;
  const repeated = (start: string, unit: Buffer) =>
    Buffer.concat([Buffer.from(start, "latin1"), Buffer.alloc(size, unit)]);
  const flacHead = sample("streamed.flac").subarray(0, 42).toString("latin1");
  const page = sample("opus.ogg").subarray(0, 47);
  isHarmless(repeated("", Buffer.from([0xff, 0xfb])));
  isHarmless(repeated("", Buffer.from([0xff, 0xfb, 0x10, 0x00])));
  isHarmless(repeated("RIFF\0\0\0\0WAVE", Buffer.from("x\0\0\0\0\0\0\0")));
  isHarmless(repeated(flacHead, Buffer.from([0xff, 0xf8, 0x69, 0x08, 0x00])));
  isHarmless(repeated("OggS", page));
  isHarmless(repeated("", page));
  isHarmless(repeated("\0\0\0\x08ftyp", Buffer.from("\0\0\0\x08moov", "latin1")));
  isHarmless(repeated("\0\0\0\x08ftyp", Buffer.from("\0\0\0\0stts", "latin1")));
  isHarmless(repeated("\x1a\x45\xdf\xa3\x80", Buffer.from([0xa3, 0x80])));
  isHarmless(repeated("\x1a\x45\xdf\xa3\x80", Buffer.from([0xae, 0xff])));
});

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).error === undefined;

test(
  "the length agrees with ffmpeg's own, for what it writes",
  { skip: hasFfmpeg ? false : "skipped: no ffmpeg" },
  () => {
    for (const [seconds, rate] of [
      [0.3, 8000],
      [7.77, 44_100],
    ] as const) {
      const tone = ["-f", "lavfi", "-i", `sine=sample_rate=${rate}:duration=${seconds}`];
      for (const format of ["wav", "mp3", "flac", "ogg", "opus", "webm"]) {
        const args = ["-v", "error", "-nostdin", ...tone, "-f", format, "pipe:1"];
        const { stdout } = spawnSync("ffmpeg", args, { maxBuffer: 64_000_000 });
        const length = audioLength(stdout);
        // MP3 to a pipe cannot tell what the encoder added, which is up to three frames.
        const leeway = format === "mp3" ? 0.25 : 0.05;
        assert.ok(Math.abs((length?.seconds ?? 0) - seconds) < leeway, `${format} ${JSON.stringify(length)}`);
      }
    }
  },
);
