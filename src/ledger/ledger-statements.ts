import type { Credits } from "../core/credits.ts";
import type { Receipt } from "../core/receipt.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database, Row, Statement } from "../storage/database.ts";
import type { HoldRequest } from "./ledger.ts";

const write: Statement = { name: "ledger_write", text: "select write_calls($1) as answer" };
const readEnding: Statement = {
  name: "ledger_ending",
  text: "select ending from receipts where call_id = $1",
};
const noteDelivered: Statement = { name: "ledger_delivered", text: "select note_delivered($1)" };

export type CallWrite =
  | { readonly kind: "hold"; readonly request: HoldRequest }
  | { readonly kind: "close"; readonly receipt: Receipt };

/** An amount held or charged, undefined for a hold that was refused, and the balance right after. */
export type Written = {
  readonly amount: Credits | undefined;
  readonly available: Credits;
  /** Of a close: it was this one that ended the call. */
  readonly hasClosed: boolean;
};

/** All or none, the closes before the holds; answers in the order asked. */
export async function writeCalls(
  database: Database,
  nodeId: string,
  writes: readonly CallWrite[],
): Promise<readonly Written[]> {
  const rows = writes.map((each) =>
    each.kind === "hold" ? holdRow(each.request, nodeId) : closeRow(each.receipt),
  );
  const flat = answerOf(await runAgain(database, write, [JSON.stringify(rows)]));
  return writes.map((_, index) => ({
    amount: flat[3 * index] === null ? undefined : amountAt(flat, 3 * index),
    available: amountAt(flat, 3 * index + 1),
    hasClosed: flat[3 * index + 2] === 1,
  }));
}

/** Undefined when there is no receipt. */
export async function endingOf(database: Database, callId: string): Promise<unknown> {
  return (await runAgain(database, readEnding, [callId]))[0]?.["ending"];
}

export async function writeDelivered(
  database: Database,
  notes: Iterable<readonly [callId: string, cost: bigint]>,
): Promise<void> {
  const rows = Array.from(notes, ([callId, cost]) => ({ call_id: callId, cost: cost.toString() }));
  await runAgain(database, noteDelivered, [JSON.stringify(rows)]);
}

function holdRow(request: HoldRequest, nodeId: string): Row {
  return {
    kind: "hold",
    call_id: request.callId,
    account_id: request.accountId,
    key_id: request.keyId,
    mode: request.mode,
    model: request.model,
    amount: request.amount.toString(),
    minimum: request.minimum.toString(),
    catalog_version: request.catalogVersion,
    node_id: nodeId,
  };
}

function closeRow(receipt: Receipt): Row {
  return {
    kind: "close",
    call_id: receipt.callId,
    account_id: receipt.accountId,
    key_id: receipt.keyId,
    mode: receipt.mode,
    model: receipt.model,
    served_by: receipt.servedBy,
    usage: receipt.usage,
    estimated: receipt.estimated,
    cost: receipt.cost.toString(),
    ending: receipt.ending,
    problem: receipt.problem,
    attempts: receipt.attempts,
    started_at: receipt.startedAt,
    ended_at: receipt.endedAt,
  };
}

/** The JSON array that a function of the ledger answered with. */
export function answerOf(rows: readonly Row[]): readonly unknown[] {
  const answer = rows[0]?.["answer"];
  const flat: unknown = typeof answer === "string" ? JSON.parse(answer) : undefined;
  if (!Array.isArray(flat)) throw new TypeError("the ledger's function did not answer with a JSON array");
  return flat;
}

function amountAt(flat: readonly unknown[], index: number): bigint {
  const amount = flat[index];
  if (typeof amount !== "string") throw new TypeError("the ledger's function left an amount out");
  return BigInt(amount);
}

/** Deadlock, serialization failure, and a row that another node inserted first: nothing happened, a new try sees more. */
const passingStates: ReadonlySet<unknown> = new Set(["40P01", "40001", "23505"]);
const maxTries = 5;

/** Runs a statement that is safe to repeat, again when the database gave up on it for passing reasons. */
export async function runAgain(
  database: Database,
  statement: Statement,
  parameters: readonly unknown[],
): Promise<readonly Row[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await database.run(statement, parameters);
    } catch (error) {
      if (tries === maxTries || !passingStates.has(sqlStateOf(error))) throw error;
    }
  }
}

/**
 * Classes 53 (disk or memory full), 55 and 57 (locked, cancelled, timed out), 58 (input or output), a standby, and what
 * passes but did not within all tries.
 */
const unfitStates = /^(?:5[3578][0-9A-Z]{3}|25006|40P01|40001)$/;

/**
 * The database is away, or it answered but cannot write at present, whatever it is asked. Only when it is away is it
 * unknown whether the statement took effect.
 */
export function cannotWriteNow(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  const state = sqlStateOf(error);
  return typeof state === "string" && unfitStates.test(state);
}

export function sqlStateOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
