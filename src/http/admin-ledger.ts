import { createHash } from "node:crypto";
import { z } from "zod";
import { modes } from "../core/caller.ts";
import type { Mode } from "../core/caller.ts";
import { formatCredits, microPerCredit, parseCredits } from "../core/credits.ts";
import type { Credits } from "../core/credits.ts";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import type { Accounts } from "../identity/accounts.ts";
import { books } from "../ledger/ledger.ts";
import type { Ledger, TransferLine } from "../ledger/ledger.ts";
import { balancesForm, shownBalances } from "./admin-accounts.ts";
import { amount, count, listOf } from "./answer-schemas.ts";
import { withBody } from "./door.ts";
import type { Door, Visit } from "./door.ts";
import { storedText } from "./stored-text.ts";

const mostGranted: Credits = 1_000_000_000n * microPerCredit;
const longestKey = 255;
const mostLines = 1000;

const credits = z.string({ error: 'want a decimal string such as "25.00"' }).refine((text) => {
  const amount = parseCredits(text);
  return amount !== undefined && amount > 0n && amount <= mostGranted;
}, 'want a decimal string such as "25.00": more than 0, at most 1000000000, at most 6 decimals');

const grantBody = z.strictObject({
  credits,
  mode: z.enum(["live", "test"]),
  reason: storedText(500).optional(),
});

const granted = z.strictObject({ transfer_id: z.string(), balances: balancesForm });

const lineForm = z.strictObject({
  sequence: z.int().min(1).describe("Without gaps per account and mode."),
  id: z.string(),
  call_id: z.string().nullable(),
  kind: z.enum(["grant", "hold", "settle", "release"]),
  amount,
  book: z.enum(books),
  at: z.iso.datetime(),
});

const auditForm = z.strictObject({
  ok: z.boolean(),
  books: count,
  transfers: count,
  open_holds: count,
  faults: z.array(z.string()),
});

type LedgerHouse = { readonly accounts: Accounts; readonly ledger: Ledger };

/** The operator's doors to money. */
export function ledgerDoors(house: LedgerHouse): readonly Door[] {
  return [grantDoor(house), transfersDoor(house), auditDoor(house)];
}

function grantDoor({ accounts, ledger }: LedgerHouse): Door {
  return {
    method: "POST",
    path: "/admin/v1/accounts/{id}/credits",
    access: "operator",
    summary: "Grants credits. With an Idempotency-Key, asking again grants nothing more.",
    answers: "The transfer's id and the balances.",
    answerForm: granted,
    ...withBody(grantBody, async (visit) => {
      const { body } = visit;
      const account = await accounts.read(visit.parameters["id"] ?? "");
      const id = grantId(account.id, visit);
      const balances = await ledger.grant({
        id,
        accountId: account.id,
        mode: body.mode,
        amount: parseCredits(body.credits) ?? 0n,
        reason: body.reason ?? "granted by the operator",
      });
      return { status: 201, body: { transfer_id: id, balances: shownBalances(balances) } };
    }),
  };
}

function transfersDoor({ accounts, ledger }: LedgerHouse): Door {
  return {
    method: "GET",
    path: "/admin/v1/accounts/{id}/transfers",
    access: "operator",
    query: {
      mode: z.enum(modes),
      after: z.int().min(0),
      limit: z.int().min(1).max(mostLines),
    },
    summary: "The lines of an account's transfers, oldest first. `?mode=live|test&after=sequence&limit=`.",
    answers: "`data` and `has_more`; go on with `after` set to the last sequence.",
    answerForm: listOf(lineForm).extend({ has_more: z.boolean() }),
    async answer(visit) {
      const account = await accounts.read(visit.parameters["id"] ?? "");
      const { lines, hasMore } = await ledger.transfers({
        accountId: account.id,
        mode: modeIn(visit),
        after: numberIn(visit, "after", { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: 0 }),
        limit: numberIn(visit, "limit", { least: 1, most: mostLines, fallback: 100 }),
      });
      return { status: 200, body: { object: "list", data: lines.map(shownLine), has_more: hasMore } };
    },
  };
}

function auditDoor({ ledger }: LedgerHouse): Door {
  return {
    method: "POST",
    path: "/admin/v1/audit",
    access: "operator",
    summary:
      "Proves that every book's transfers add up to its balance and that nothing is on hold without an open call.",
    answers: "`ok`, what was looked at, and the faults as sentences.",
    answerForm: auditForm,
    async answer() {
      const audit = await ledger.audit();
      const { ok, books, transfers, openHolds, faults } = audit;
      return { status: 200, body: { ok, books, transfers, open_holds: openHolds, faults } };
    },
  };
}

/** The same account and Idempotency-Key give the same id, and the ledger takes an id once. */
function grantId(accountId: string, visit: Visit<unknown>): string {
  const key = visit.headers["idempotency-key"];
  if (key === undefined) return newId("grant");
  if (typeof key !== "string" || key.length === 0 || key.length > longestKey) {
    throw new Problem("invalid_request", {
      param: "Idempotency-Key",
      message: `Idempotency-Key: want 1 to ${longestKey} characters.`,
    });
  }
  return `grant_${createHash("sha256").update(`${accountId}\n${key}`).digest("hex").slice(0, 32)}`;
}

function modeIn(visit: Visit<unknown>): Mode {
  const mode = visit.query.get("mode") ?? "live";
  if (mode === "live" || mode === "test") return mode;
  throw new Problem("invalid_request", { param: "mode", message: "mode: want live or test." });
}

type Range = { readonly least: number; readonly most: number; readonly fallback: number };

function numberIn(visit: Visit<unknown>, parameter: string, { least, most, fallback }: Range): number {
  const text = visit.query.get(parameter);
  if (text === null) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Problem("invalid_request", {
    param: parameter,
    message: `${parameter}: want a whole number from ${least} to ${most}.`,
  });
}

function shownLine(line: TransferLine): z.output<typeof lineForm> {
  return {
    sequence: line.sequence,
    id: line.id,
    call_id: line.callId,
    kind: line.kind,
    amount: formatCredits(line.amount),
    book: line.book,
    at: line.at.toISOString(),
  };
}
