import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";
import { problems } from "../../core/problems.ts";
import type { Problem } from "../../core/problems.ts";
import { costOf } from "../../core/price.ts";
import { meters } from "../../core/usage.ts";
import type { Meter, Usage } from "../../core/usage.ts";
import type { Closed } from "../../ledger/ledger.ts";
import { offerKey } from "../../routing/rank.ts";
import { namedIn } from "../upstream-problems.ts";
import { frozenPrice, holdOf } from "./driven-run.ts";
import type { DrivenRun, ServedOffer } from "./driven-run.ts";
import { finishedMessage } from "./run-view.ts";
import type { RunHouse } from "./run-house.ts";
import type { SeenRun } from "./run-store.ts";
import { forgetEarlier } from "./store-output.ts";

export type Result = {
  readonly offer: ServedOffer;
  readonly output: JsonObject;
  readonly usage: Usage;
  readonly estimated: boolean;
  readonly isEmpty: boolean;
  readonly attempts: number;
};

export type Failure = {
  readonly problem: Problem;
  readonly attempts?: number;
  readonly ending?: "failed" | "canceled";
};

/** Writes down how the run ended. False when somebody else ended it before. */
export function decide(run: DrivenRun, house: RunHouse, outcome: Result | Failure): Promise<boolean> {
  if ("problem" in outcome) {
    const { code, message, param, retryAfterSeconds } = outcome.problem;
    const attempts = outcome.attempts === undefined ? {} : { attempts: outcome.attempts };
    return house.store.change(holdOf(run), {
      state: "settling",
      problem: {
        code,
        message: namedIn(message, run.row.model),
        ...(param === null ? {} : { param }),
        ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
      },
      cost: 0n,
      ending: outcome.ending ?? "failed",
      ...attempts,
    });
  }
  const { offer, usage, isEmpty } = outcome;
  return house.store.change(holdOf(run), {
    state: "settling",
    offer: offerKey(offer),
    output: outcome.output,
    usage,
    cost: isEmpty ? 0n : costOf(frozenPrice(run, offer), usage, run.row.credit_usd),
    estimated: outcome.estimated,
    attempts: outcome.attempts,
    ending: isEmpty ? "empty" : "done",
  });
}

/** Ends a run that nobody can go on with: nobody knows what came of it, and nobody pays for it. */
export async function giveUp(row: SeenRun, house: RunHouse): Promise<void> {
  const problem = { code: "outcome_unknown", message: problems.outcome_unknown.message } as const;
  const change = { state: "settling", problem, cost: 0n, ending: "failed" } as const;
  if (row.state !== "settling" && !(await house.store.change({ id: row.id, claim: row.claim }, change)))
    return;
  const decided = await house.store.read(row.id);
  if (decided?.state === "settling") await settle(decided, house);
}

/**
 * Charges what was decided, once: closing again is answered from the receipt. Resolves with the run as it is over, and
 * the balance after it.
 */
export async function settle(
  decided: SeenRun,
  house: RunHouse,
): Promise<{ readonly row: SeenRun; readonly closed: Closed }> {
  await forgetEarlier(decided, house);
  const closed = await house.ledger.close({
    callId: decided.call_id,
    accountId: decided.account_id,
    keyId: decided.key_id,
    mode: decided.mode,
    model: decided.model,
    servedBy: decided.offer ?? "",
    usage: usageOf(decided),
    estimated: decided.estimated,
    cost: decided.cost ?? 0n,
    ending: endingOf(decided),
    problem: problemCodeOf(decided),
    attempts: decided.attempts,
    startedAt: decided.created_at.getTime(),
    endedAt: house.clock.now(),
  });
  const row: SeenRun = {
    ...decided,
    state: "over",
    cost: closed.charged,
    ended_at: new Date(house.clock.now()),
  };
  const hasEnded = await house.store.end(row, closed.charged, finishedMessage(row));
  if (hasEnded && row.webhook_url !== null) house.messageIsWaiting();
  return { row, closed };
}

function endingOf({ ending }: SeenRun): "done" | "empty" | "failed" | "aborted" {
  switch (ending) {
    case "done":
    case "empty":
      return ending;
    case "canceled":
      return "aborted";
    case "failed":
    case null:
      return "failed";
  }
}

export function problemCodeOf({ problem }: SeenRun): string | null {
  return isJsonObject(problem) && typeof problem["code"] === "string" ? problem["code"] : null;
}

export function usageOf({ usage }: SeenRun): Usage {
  if (!isJsonObject(usage)) return {};
  const told = Object.entries(usage).filter(
    (entry): entry is [Meter, number] => isMeter(entry[0]) && typeof entry[1] === "number",
  );
  return Object.fromEntries(told);
}

function isMeter(name: string): name is Meter {
  return (meters as readonly string[]).includes(name);
}
