import assert from "node:assert/strict";
import { test } from "node:test";
import { PageQuiet } from "./page-quiet.ts";

/** When the page is taken for quiet, looked at every 50 ms, with its text as it grows at these moments. */
function quietAt(growth: Readonly<Record<number, number>>, network: { readonly busyUntil: number }): number {
  const quiet = new PageQuiet();
  let text = 0;
  for (let now = 0; now <= 20_000; now += 50) {
    text = growth[now] ?? text;
    const networkIdleMs = Math.max(0, now - network.busyUntil);
    if (quiet.isReached({ now: 7 + now, size: { text, elements: 3 }, networkIdleMs })) return now;
  }
  return Number.POSITIVE_INFINITY;
}

const idle = { busyUntil: -5000 };

test("a page that says much is read once it has loaded and changed nothing for half a second", () => {
  assert.equal(quietAt({ 0: 5000 }, idle), 500);
  assert.equal(quietAt({ 0: 5000, 300: 6000 }, idle), 800);
  assert.equal(quietAt({ 0: 5000 }, { busyUntil: 1200 }), 1700);
});

test("a page that says next to nothing has three seconds to begin, and one more for each thing it then says", () => {
  assert.equal(quietAt({ 0: 10 }, idle), 3000);
  assert.equal(quietAt({ 700: 50 }, idle), 1700);
  assert.equal(quietAt({ 700: 50, 1400: 90 }, idle), 2400);
  assert.equal(quietAt({ 700: 5000 }, idle), 1200);
});

test("a page that never stops is read after three seconds, or when it stops loading", () => {
  const ticking = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [at * 50, at]));
  assert.equal(quietAt(ticking, idle), 3000);
  assert.equal(quietAt(ticking, { busyUntil: 4000 }), 4500);
});
