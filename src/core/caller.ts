/** `live` spends real credits at real providers; `test` spends test credits at the sandbox. Fixed by the key. */
export type Mode = "live" | "test";

export const modes: readonly Mode[] = ["live", "test"];

export type PlanName = "free" | "starter" | "pro";

/** Limits of one key: requests admitted in any 60 seconds, and calls open at once. */
export type Limits = { readonly requestsPerMinute: number; readonly concurrentRequests: number };

/** Who calls: account, key and mode, settled once at the door. */
export type Caller = {
  readonly accountId: string;
  readonly keyId: string;
  readonly mode: Mode;
  readonly plan: PlanName;
  readonly limits: Limits;
  /** Model ids and aliases this key may call; undefined is all of them. */
  readonly models: readonly string[] | undefined;
};
