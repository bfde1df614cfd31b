/** What the tests of the worker pool let its threads do. */
import { env } from "node:process";
import { threadId } from "node:worker_threads";
import { Problem } from "../core/problems.ts";

type Order =
  | { readonly kind: "echo"; readonly value: unknown }
  | { readonly kind: "gauge"; readonly gauge: SharedArrayBuffer }
  | { readonly kind: Exclude<keyof typeof deeds, "echo" | "gauge"> };

const kept: unknown[] = [];

const deeds = {
  thread: () => threadId,
  problem: () => {
    throw new Problem("invalid_request", { message: "Not like this.", param: "inputs.x" });
  },
  bug: () => {
    throw new TypeError("a bug of ours");
  },
  recurse: () => recurse(1),
  loop: () => {
    for (;;) Math.random();
  },
  "fill-heap": () => {
    for (;;) kept.push({ value: [Math.random(), String(kept.length)] });
  },
  "fill-buffers": async () => {
    for (;;) {
      kept.push(new Uint8Array(8 * 1024 * 1024).fill(1));
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  },
  exit: () => process.exit(3),
  "stray-rejection": () => {
    void Promise.reject(new Error("nobody awaits this"));
  },
  environment: () => Object.keys(env),
} as const;

function recurse(depth: number): number {
  return recurse(depth + 1) + 1;
}

/** How many are at it now, and the most there were at once. */
async function gaugeTogether(gauge: SharedArrayBuffer): Promise<void> {
  const counts = new Int32Array(gauge);
  const now = Atomics.add(counts, 0, 1) + 1;
  if (now > Atomics.load(counts, 1)) Atomics.store(counts, 1, now);
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
  Atomics.sub(counts, 0, 1);
}

export function work(order: Order): unknown {
  if (order.kind === "echo") return order.value;
  if (order.kind === "gauge") return gaugeTogether(order.gauge);
  return deeds[order.kind]();
}
