import type { Mode } from "../core/caller.ts";
import type { Credits } from "../core/credits.ts";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import type { ProblemCode } from "../core/problems.ts";
import type { Receipt } from "../core/receipt.ts";
import type { Balances, HoldRequest, Ledger, TransferLine } from "./ledger.ts";

/** A ledger under test, and a second one on the same books as another process would have it. */
export type LedgerUnderTest = {
  readonly ledger: Ledger;
  readonly other: Ledger;
  /** A new account with empty books. */
  readonly account: () => Promise<string>;
};

export async function accountWith(test: LedgerUnderTest, amount: Credits): Promise<string> {
  const accountId = await test.account();
  await test.ledger.grant({ id: newId("grant"), accountId, mode: "live", amount, reason: "test" });
  return accountId;
}

/** A hold of 100 that wants at least 1, unless said otherwise. */
export function holdOf(accountId: string, fields: Partial<HoldRequest> = {}): HoldRequest {
  return {
    callId: newId("call"),
    accountId,
    keyId: "key_1",
    mode: "live",
    model: "test/model",
    amount: 100n,
    minimum: 1n,
    catalogVersion: "v1",
    ...fields,
  };
}

export function receiptOf(request: HoldRequest, cost: Credits, fields: Partial<Receipt> = {}): Receipt {
  return {
    callId: request.callId,
    accountId: request.accountId,
    keyId: request.keyId,
    mode: request.mode,
    model: request.model,
    servedBy: "test/upstream",
    usage: { input_tokens: 3, output_tokens: 5 },
    estimated: false,
    cost,
    ending: "done",
    problem: null,
    attempts: 1,
    startedAt: 1_764_000_000_123,
    endedAt: 1_764_000_000_456,
    ...fields,
  };
}

export function problem(code: ProblemCode): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code;
}

/** All lines of an account, by pages. */
export async function linesIn(
  ledger: Ledger,
  accountId: string,
  page: { readonly mode?: Mode; readonly limit?: number } = {},
): Promise<readonly TransferLine[]> {
  const { mode = "live", limit = 100 } = page;
  const lines: TransferLine[] = [];
  for (;;) {
    const read = await ledger.transfers({ accountId, mode, after: lines.length, limit });
    lines.push(...read.lines);
    if (!read.hasMore) return lines;
  }
}

/** What an account has when only its live books were used. */
export function live(available: Credits, held: Credits): Balances {
  return { live: { available, held }, test: { available: 0n, held: 0n } };
}
