import type { Mode, PlanName } from "../core/caller.ts";

/** The answers of our API as they are on the wire. Amounts of credits are decimal strings unless they say otherwise. */

export type ListAnswer<Item> = { readonly object: "list"; readonly data: readonly Item[] };

export type LimitsAnswer = { readonly requests_per_minute: number; readonly concurrent_requests: number };

/** Absent leaves a limit as it is, null goes back to the plan's. */
export type LimitsWish = {
  readonly requests_per_minute?: number | null | undefined;
  readonly concurrent_requests?: number | null | undefined;
};

export type BalanceAmounts = { readonly available: string; readonly held: string };

export type BalancesAnswer = Readonly<Record<Mode, BalanceAmounts>>;

export type AccountAnswer = {
  readonly id: string;
  readonly name: string;
  readonly plan: PlanName;
  readonly limits: LimitsAnswer;
  readonly created_at: string;
  readonly balances: BalancesAnswer;
};

export type AccountWish = {
  readonly name?: string | undefined;
  readonly plan?: PlanName | undefined;
  readonly limits?: LimitsWish | undefined;
};

export type KeyAnswer = {
  readonly id: string;
  readonly account_id: string;
  readonly name: string | null;
  /** The beginning of the secret. */
  readonly prefix: string;
  readonly mode: Mode;
  readonly limits: LimitsAnswer;
  readonly models: readonly string[] | null;
  readonly created_at: string;
};

/** `key` is the secret; no other answer has it. */
export type NewKeyAnswer = KeyAnswer & { readonly key: string };

export type KeyWish = {
  readonly mode: Mode;
  readonly name?: string | undefined;
  readonly limits?: LimitsWish | undefined;
  readonly models?: readonly string[] | undefined;
};

export type GrantAnswer = { readonly transfer_id: string; readonly balances: BalancesAnswer };

export type TransferLineAnswer = {
  readonly sequence: number;
  readonly id: string;
  readonly call_id: string | null;
  readonly kind: string;
  readonly amount: string;
  readonly book: string;
  readonly at: string;
};

export type TransfersAnswer = ListAnswer<TransferLineAnswer> & { readonly has_more: boolean };

export type AuditAnswer = {
  readonly ok: boolean;
  readonly books: number;
  readonly transfers: number;
  readonly open_holds: number;
  readonly faults: readonly string[];
};

export type BalanceAnswer = BalanceAmounts & {
  readonly mode: Mode;
  readonly credits: number;
  readonly credit_usd: string;
};

export const usagePeriods = ["day", "week", "month", "all"] as const;
export type UsagePeriod = (typeof usagePeriods)[number];

export type UsageSumAnswer = {
  readonly requests: number;
  readonly credits: string;
  readonly usd: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
};

export type RecentCallAnswer = {
  readonly call_id: string;
  readonly model: string;
  readonly served_by: string;
  readonly credits: string;
  readonly ending: string;
  readonly reason: string | null;
  readonly estimated: boolean;
  readonly at: string;
};

export type UsageAnswer = {
  readonly mode: Mode;
  readonly period: UsagePeriod;
  readonly since: string | null;
  readonly total: UsageSumAnswer;
  readonly by_model: readonly (UsageSumAnswer & { readonly model: string })[];
  readonly daily: readonly (UsageSumAnswer & { readonly date: string })[];
  readonly recent: readonly RecentCallAnswer[];
};

export type RateAnswer = {
  readonly meter: string;
  readonly per: number;
  readonly usd: string;
  readonly credits: string;
  readonly when?: { readonly input_tokens_gt?: number };
};

export type ModelAnswer = {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly description: string;
  readonly aliases?: readonly string[];
  readonly alias_of?: string;
  readonly note?: string;
  readonly context_window: number;
  readonly max_output: number;
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** Whether a call of the key's mode could be served now. */
  readonly available: boolean;
  readonly providers: readonly string[];
  readonly prices: readonly RateAnswer[];
  readonly lifecycle: {
    readonly state: string;
    readonly shutdown: string | null;
    readonly replacement: string | null;
  };
  readonly doc: string | null;
  /** Only when one model was asked for. */
  readonly curl_example?: string;
};

export type ModelsAnswer = ListAnswer<ModelAnswer> & {
  readonly count: number;
  /** Type → how many models there are of it, whatever was chosen. */
  readonly available_types: Readonly<Record<string, number>>;
};
