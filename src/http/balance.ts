import { z } from "zod";
import { creditsAsJsonNumber, formatCredits } from "../core/credits.ts";
import type { Credits } from "../core/credits.ts";
import { costInUsd } from "../core/price.ts";
import type { Caller } from "../core/caller.ts";
import type { Balance, Ledger } from "../ledger/ledger.ts";
import { balance } from "./answer-schemas.ts";
import type { Door } from "./door.ts";

export type BalanceHouse = { readonly ledger: Ledger; readonly creditUsd: string };

/** `GET /v1/balance`, and the same in the form of the account routes that older clients know. */
export function balanceDoors(house: BalanceHouse): readonly Door[] {
  const read = async (caller: Caller): Promise<Balance> =>
    (await house.ledger.balances(caller.accountId))[caller.mode];
  return [
    {
      method: "GET",
      path: "/v1/balance",
      access: "caller",
      summary: "What is left of the account's credits, in the mode of the key.",
      answers: "`credits` as a number; `available`, `held` and `credit_usd` as decimal strings.",
      answerForm: balance,
      async answer(visit) {
        const { mode } = visit.caller();
        const { available, held } = await read(visit.caller());
        const body = {
          object: "balance",
          mode,
          credits: jsonNumber(available),
          available: formatCredits(available),
          held: formatCredits(held),
          credit_usd: house.creditUsd,
        };
        return { status: 200, body, headers: { "x-skillboss-balance": formatCredits(available) } };
      },
    },
    {
      method: "GET",
      path: "/api/me/balance",
      access: "caller",
      summary: "The balance in USD, as the command line clients read it.",
      answers: "`balance` in USD and `credits`, both numbers.",
      answerForm: z.strictObject({ balance: z.number(), credits: z.number() }),
      async answer(visit) {
        const { available } = await read(visit.caller());
        return {
          status: 200,
          body: { balance: usdNumber(available, house.creditUsd), credits: jsonNumber(available) },
        };
      },
    },
  ];
}

/** Credits as a JSON number; exact up to nine billion credits. */
export function jsonNumber(amount: Credits): number {
  return Number(creditsAsJsonNumber(amount));
}

/** The worth of credits in USD, to the millionth. */
export function usdNumber(amount: Credits, creditUsd: string): number {
  return Number(costInUsd(amount, creditUsd));
}
