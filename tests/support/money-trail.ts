import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { parseCredits } from "../../src/core/credits.ts";
import type { Gateway } from "./gateway.ts";

/** Micro-credits of a decimal string of the API, negative ones included. */
export function micro(text: string): bigint {
  const amount = parseCredits(text.replace("-", ""));
  if (amount === undefined) throw new Error(`not an amount: ${text}`);
  return text.startsWith("-") ? -amount : amount;
}

export type Line = {
  readonly sequence: number;
  readonly id: string;
  readonly call_id: string | null;
  readonly kind: "grant" | "hold" | "settle" | "release";
  readonly amount: string;
  readonly book: string;
};

/** What the ledger says about one call. */
export type CallTrail = {
  readonly kinds: readonly string[];
  readonly held: bigint;
  /** What the customer paid. */
  readonly charged: bigint;
  /** What the operator bore. */
  readonly loss: bigint;
};

export type Trail = {
  readonly lines: readonly Line[];
  readonly calls: ReadonlyMap<string, CallTrail>;
  readonly available: bigint;
  readonly held: bigint;
};

/**
 * The whole trail of an account as the operator reads it, page by page, and its own audit: the lines are numbered
 * without gaps, no customer book is below zero after any transfer, and each call has one hold and at most one end.
 */
export async function trailOf(
  gateway: Gateway,
  accountId: string,
  mode: "live" | "test" = "live",
): Promise<Trail> {
  const lines = await allLines(gateway, accountId, mode);
  assert.deepEqual(
    lines.map((line) => line.sequence),
    lines.map((_, index) => index + 1),
    "lines are numbered without gaps",
  );
  const sums = new Map<string, bigint>();
  for (const [index, line] of lines.entries()) {
    sums.set(line.book, (sums.get(line.book) ?? 0n) + micro(line.amount));
    if (lines[index + 1]?.id === line.id) continue;
    for (const book of ["available", "held"])
      assert.ok((sums.get(book) ?? 0n) >= 0n, `${book} is below zero after line ${line.sequence}`);
  }
  return {
    lines,
    calls: callsIn(lines),
    available: sums.get("available") ?? 0n,
    held: sums.get("held") ?? 0n,
  };
}

async function allLines(gateway: Gateway, accountId: string, mode: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (;;) {
    const after = lines.at(-1)?.sequence ?? 0;
    const path = `/accounts/${accountId}/transfers?mode=${mode}&limit=1000&after=${after}`;
    const { status, body } = await gateway.admin("GET", path);
    assert.equal(status, 200);
    lines.push(...body.data);
    if (body.has_more !== true) return lines;
  }
}

function callsIn(lines: readonly Line[]): ReadonlyMap<string, CallTrail> {
  const byCall = Map.groupBy(
    lines.filter((line) => line.call_id !== null),
    (line) => line.call_id ?? "",
  );
  return new Map([...byCall].map(([callId, own]) => [callId, callTrail(callId, own)]));
}

function callTrail(callId: string, lines: readonly Line[]): CallTrail {
  const kinds = [...new Map(lines.map((line) => [line.id, line.kind])).values()];
  assert.equal(kinds[0], "hold", `${callId} begins with a hold`);
  assert.ok(kinds.length <= 2, `${callId} has more than one end: ${kinds.join(", ")}`);
  const sum = (of: readonly Line[]) => of.reduce((total, line) => total + micro(line.amount), 0n);
  return {
    kinds,
    held: sum(lines.filter((line) => line.kind === "hold" && line.book === "held")),
    charged: kinds.length === 1 ? 0n : -sum(lines.filter((line) => line.book === "available")),
    loss: -sum(lines.filter((line) => line.book === "loss")),
  };
}

/** Waits until nothing is on hold, 15 s at most, while the books are right all along. */
export async function quietAudit(gateway: Gateway): Promise<void> {
  const giveUpAt = performance.now() + 15_000;
  for (;;) {
    const { body } = await gateway.admin("POST", "/audit");
    assert.deepEqual([body.ok, body.faults], [true, []]);
    if (body.open_holds === 0) return;
    assert.ok(performance.now() < giveUpAt, `${body.open_holds} calls are still on hold`);
    await wait(50);
  }
}
