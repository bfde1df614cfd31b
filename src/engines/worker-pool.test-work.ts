/** What the tests of the worker pool let its workers do. */
import { env } from "node:process";
import { Problem } from "../core/problems.ts";

type Order =
  | { readonly kind: "echo"; readonly value: unknown }
  | { readonly kind: Exclude<keyof typeof deeds, "echo"> };

const kept: unknown[] = [];

const deeds = {
  worker: () => process.pid,
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
  "fill-array": () => {
    const numbers: number[] = [];
    for (;;) numbers.push(0.5);
  },
  "fill-buffers": () => {
    for (;;) kept.push(new Uint8Array(8 * 1024 * 1024).fill(1));
  },
  exit: () => process.exit(3),
  crash: () => process.kill(process.pid, "SIGSEGV"),
  unsendable: () => () => "a function",
  "stray-rejection": () => {
    void Promise.reject(new Error("nobody awaits this"));
  },
  environment: () => Object.keys(env),
  times: async () => {
    const begin = performance.timeOrigin + performance.now();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    return [begin, performance.timeOrigin + performance.now()];
  },
} as const;

function recurse(depth: number): number {
  return recurse(depth + 1) + 1;
}

export function work(order: Order): unknown {
  return order.kind === "echo" ? order.value : deeds[order.kind]();
}
