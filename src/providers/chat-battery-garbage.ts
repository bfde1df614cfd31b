import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batteryView, cutAt, streamed } from "./collected-chat.test-support.ts";
import type { ChatWire, Target } from "./wire.ts";
import { UnreadableAnswer } from "./wire.ts";

type Told = { readonly whole: string; readonly stream: string };

/** What a translator promises whatever the bytes are: part of the battery. */
export function garbage(wire: ChatWire, target: Target, told: readonly Told[]): void {
  const anyBytes = bytesLike(told.map(({ stream }) => Buffer.from(stream)));
  void test("garbage never throws from a stream, and without a fault the frames are well formed", () => {
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat(), { maxLength: 3 }), (bytes, positions) => {
        const pieces = cutAt(bytes, positions);
        const { bytes: out, translation } = streamed(wire.stream(batteryView, target), pieces);
        assert.match(out.toString(), /^(?:data: \{[^\r\n]*\}\n\n)*$/);
        if (translation.fault !== undefined) assert.equal(translation.complete, false);
        assert.ok(translation.outputText().length <= bytes.length);
      }),
      { numRuns: 1_000 },
    );
  });
  void test("U-07 a whole answer that cannot be read is refused with a fault, never with another error", () => {
    const bodies = ["", "null", "[]", "{}", "1", '"x"', "<html>busy</html>"];
    for (const { whole } of told) bodies.push(whole.slice(0, -2), `${whole}x`);
    for (const body of bodies) {
      assert.throws(() => wire.whole(Buffer.from(body), batteryView, target), UnreadableAnswer, body);
    }
    const read = (body: Buffer): unknown => wire.whole(body, batteryView, target);
    fc.assert(fc.property(anyBytes, (bytes) => assertReadOrRefused(() => read(bytes))));
    fc.assert(fc.property(fc.json(), (json) => assertReadOrRefused(() => read(Buffer.from(json)))));
    const damagedWhole = bytesLike(told.map(({ whole }) => Buffer.from(whole)));
    fc.assert(
      fc.property(damagedWhole, (bytes) => assertReadOrRefused(() => read(bytes))),
      { numRuns: 1_000 },
    );
  });
  void test("U-07 the reading of a refusal never throws, and its detail is short and of one line", () => {
    const anyStatus = fc.oneof(
      fc.integer({ min: 300, max: 599 }),
      fc.constantFrom(400, 401, 404, 429, 500, 529),
    );
    fc.assert(
      fc.property(anyStatus, anyBytes, fc.string({ unit: "binary" }), (status, bytes, header) => {
        const fault = wire.fault(status, { "retry-after": header, "retry-after-ms": header }, bytes);
        assert.match(fault.detail, /^\P{Cc}{0,200}$/u);
        assert.ok(fault.detail.length <= 200);
      }),
    );
  });
}

/** The given texts with a piece replaced, any bytes, and any JSON in an event. */
function bytesLike(originals: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const damaged = fc
    .tuple(fc.constantFrom(...originals), fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 20 }))
    .map(([bytes, position, removed, inserted]) => {
      const at = position % bytes.length;
      return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
    });
  return fc.oneof(
    damaged,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(`data: ${json}\n\n`)),
  );
}

function assertReadOrRefused(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof UnreadableAnswer, `threw ${String(error)}`);
  }
}
