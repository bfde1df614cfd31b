import assert from "node:assert/strict";
import { test } from "node:test";
import type { UpstreamHeaders } from "../wire.ts";
import { readAnswer } from "./read-answer.ts";
import type { ToldAnswer } from "./read-answer.ts";

function read(body: string | Buffer, type?: string, headers: UpstreamHeaders = {}): ToldAnswer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  return readAnswer({ status: 200, headers: { "content-type": type, ...headers }, bytes });
}

test("JSON is JSON whatever its type says", () => {
  for (const type of [
    "application/json; charset=utf-8",
    "application/problem+json",
    "text/plain",
    "application/octet-stream",
    undefined,
  ]) {
    assert.deepEqual(read('\ufeff {"a": [1]}', type).res, { a: [1] }, type);
  }
  assert.equal(read('"text"', "application/json").res, "text");
  assert.equal(read("12", "text/plain").res, "12", "a plain text of two digits is no number");
  assert.deepEqual(read("[00:12.00] la la", "text/plain").res, "[00:12.00] la la");
});

test("other content is text where it is one, else base64 with its type and size", () => {
  assert.equal(read("<p>hi</p>", "text/html").res, "<p>hi</p>");
  assert.equal(read("WEBVTT", undefined).res, "WEBVTT");
  const bytes = Buffer.from([0xff, 0xfb, 0x00]);
  assert.deepEqual(read(bytes, "Audio/MPEG; rate=1").res, { base64: "//sA", mime: "audio/mpeg", size: 3 });
  assert.deepEqual(read(bytes).res, { base64: "//sA", mime: "application/octet-stream", size: 3 });
  assert.deepEqual(read("12", "audio/pcm").res, { base64: "MTI=", mime: "audio/pcm", size: 2 });
  assert.deepEqual(read("a\0b").res, { base64: "YQBi", mime: "application/octet-stream", size: 3 });
  assert.equal(read(Buffer.from([0x61, 0xff]), "text/plain").res, "a\ufffd");
});

test("an empty body has no value; what claims to be JSON and is none cannot be read", () => {
  for (const type of ["application/json", "text/plain", undefined]) {
    const { res, unreadable } = read("", type);
    assert.deepEqual([res, unreadable], [undefined, undefined]);
  }
  assert.match(read("<html>", "application/json").unreadable ?? "", /^6 bytes, not JSON/);
  assert.match(read("[".repeat(100_000) + "]".repeat(100_000), "application/json").unreadable ?? "", /deep/);
  assert.match(read(Buffer.alloc(64 * 1024 * 1024 + 1), "image/png").unreadable ?? "", /bytes/);
});

test("no database refuses what an answer holds: no NUL and no half character, in names neither", () => {
  const text = String.raw`{"a\u0000":"x\u0000\\u0000\ud83d\udc4b\ud83d!","\udc4b":["\uDC4B\uD83D"]}`;
  assert.deepEqual(read(text).res, {
    "a\ufffd": "x\ufffd\\u0000\u{1f44b}\ufffd!",
    "\ufffd": ["\ufffd\ufffd"],
  });
  assert.equal(read("a\0b", "text/plain").res, "a\ufffdb");
  assert.deepEqual(read("x", "text/plain", { "x-odd": "a\0" }).headers["x-odd"], "a\ufffd");
});

test("headers have lower-case names, and several values are one text", () => {
  const { headers } = read("", undefined, {
    "X-Cost": "5",
    "Set-Cookie": ["a=1", "b=2"],
    "x-none": undefined,
  });
  assert.deepEqual(headers, { "x-cost": "5", "set-cookie": "a=1, b=2" });
});
