import type { Selectable } from "kysely";
import type { Database } from "../storage/database.ts";
import type { Tables } from "../storage/tables.ts";
import type { Book, TransferKind, TransferLine, TransferQuery } from "./ledger.ts";

type TransferRow = Selectable<Tables["transfers"]>;

/** The books a transfer moves, in the order its lines are numbered: what gives comes before what takes. */
const booksMoved: Readonly<Record<TransferKind, readonly Book[]>> = {
  grant: ["grants", "available"],
  hold: ["available", "held"],
  release: ["held", "available"],
  settle: ["held", "revenue", "available"],
};

/** A settlement has a line for the loss only when there is one; every other line is there even when it is zero. */
export function linesOf(row: TransferRow): readonly TransferLine[] {
  const moved = booksMoved[row.kind];
  const withLoss: readonly Book[] = row.loss === 0n ? moved : [...moved, "loss"];
  return withLoss.map((book, index) => ({
    sequence: Number(row.sequence) + index,
    id: row.id,
    callId: row.call_id,
    kind: row.kind,
    amount: row[book],
    book,
    at: row.at,
  }));
}

const mostLines = 4;
const fewestLines = 2;

/** A page of lines in their order. Lines are numbered under the lock of their books, so a page never misses one. */
export async function readTransfers(
  database: Database,
  query: TransferQuery,
): Promise<{ readonly lines: readonly TransferLine[]; readonly hasMore: boolean }> {
  const rows = await database.kysely
    .selectFrom("transfers")
    .selectAll()
    .where("account_id", "=", query.accountId)
    .where("mode", "=", query.mode)
    // The row that holds the first wanted line may begin before it.
    .where("sequence", ">", BigInt(query.after - mostLines))
    .orderBy("sequence")
    .limit(Math.floor(query.limit / fewestLines) + mostLines)
    .execute();
  const lines = rows.flatMap(linesOf).filter((line) => line.sequence > query.after);
  return { lines: lines.slice(0, query.limit), hasMore: lines.length > query.limit };
}
