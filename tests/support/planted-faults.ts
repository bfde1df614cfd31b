import assert from "node:assert/strict";
import type pg from "pg";
import type { Gateway } from "./gateway.ts";

/** A change behind the ledger's back that every check of the database lets through, and the way back. */
type PlantedFault = {
  readonly name: string;
  /** SQL; `$1` is the account's id. */
  readonly plant: string;
  readonly undo: string;
  /** What the audit can say it by. */
  readonly namedBy: "account" | "call";
};

const booksOf = "where account_id = $1 and mode = 'live'";
const books = (change: string) => `update books set ${change} ${booksOf}`;
const grants = (change: string) => `update transfers set ${change} ${booksOf} and kind = 'grant'`;
const settlements = (change: string) => `update transfers set ${change} ${booksOf} and kind = 'settle'`;

const plantedFaults: readonly PlantedFault[] = [
  {
    name: "credits out of nothing in the books",
    plant: books("available = available + 5, grants = grants - 5"),
    undo: books("available = available - 5, grants = grants + 5"),
    namedBy: "account",
  },
  {
    name: "revenue without a call in the books",
    plant: books("available = available - 5, revenue = revenue + 5"),
    undo: books("available = available + 5, revenue = revenue - 5"),
    namedBy: "account",
  },
  {
    name: "credits on hold that no call holds",
    plant: books("available = available - 5, held = held + 5"),
    undo: books("available = available + 5, held = held - 5"),
    namedBy: "account",
  },
  {
    name: "a line number that was skipped",
    plant: books("sequence = sequence + 1"),
    undo: books("sequence = sequence - 1"),
    namedBy: "account",
  },
  {
    name: "a grant rewritten to another amount",
    plant: grants("available = available + 5, grants = grants - 5"),
    undo: grants("available = available - 5, grants = grants + 5"),
    namedBy: "account",
  },
  {
    name: "a settlement rewritten to another price",
    plant: settlements("available = available - 5, revenue = revenue + 5"),
    undo: settlements("available = available + 5, revenue = revenue - 5"),
    namedBy: "account",
  },
  {
    name: "a settlement moved to another line",
    plant: settlements("sequence = sequence + 100"),
    undo: settlements("sequence = sequence - 100"),
    namedBy: "account",
  },
  {
    name: "a receipt rewritten to another price",
    plant: `update receipts set cost = cost + 5 ${booksOf}`,
    undo: `update receipts set cost = cost - 5 ${booksOf}`,
    namedBy: "call",
  },
];

/** Changes that the database itself refuses; `$1` is the account's id. */
const refusedFaults: readonly string[] = [
  books("available = available + 5"),
  books("available = -1, grants = grants + available + 1"),
  books("held = -1, available = available + held + 1"),
  grants("available = available + 5"),
];

export type Plot = { readonly node: Gateway; readonly database: pg.Client; readonly accountId: string };

/**
 * Changes the database of an account that has one grant and one settled call: what it does not refuse, the audit finds,
 * and accuses nobody else.
 */
export async function assertFaultsFound({ node, database, accountId }: Plot): Promise<void> {
  const change = (statement: string) => database.query(statement, [accountId]);
  const audit = async () => (await node.admin("POST", "/audit")).body;
  for (const statement of refusedFaults)
    await assert.rejects(change(statement), { code: "23514" }, statement);
  const { rows } = await change("select call_id from receipts where account_id = $1");
  const own = { account: `${accountId} (live)`, call: rows[0].call_id };
  for (const { name, plant, undo, namedBy } of plantedFaults) {
    assert.equal((await change(plant)).rowCount, 1, name);
    const { ok, faults } = await audit();
    const shown = `${name}: ${JSON.stringify(faults)}`;
    assert.equal(ok, false, shown);
    assert.ok(
      faults.some((fault: string) => fault.includes(own[namedBy])),
      shown,
    );
    for (const fault of faults)
      assert.ok(
        [own.account, own.call].some((one) => fault.includes(one)),
        shown,
      );
    await change(undo);
    assert.deepEqual((await audit()).faults, [], `${name}, undone`);
  }
}
