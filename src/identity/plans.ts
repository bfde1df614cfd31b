import type { Limits, PlanName } from "../core/caller.ts";

export type Plan = {
  readonly name: PlanName;
  /** Limits of each key of the account, unless the account or the key has its own. */
  readonly limits: Limits;
  /** Active keys an account may have, both modes together. */
  readonly maxKeys: number;
};

/** Free and Starter as published; Pro is negotiated, so an operator sets an account's own limits over these. */
export const plans: Readonly<Record<PlanName, Plan>> = {
  free: { name: "free", limits: { requestsPerMinute: 10, concurrentRequests: 2 }, maxKeys: 10 },
  starter: { name: "starter", limits: { requestsPerMinute: 60, concurrentRequests: 10 }, maxKeys: 50 },
  pro: { name: "pro", limits: { requestsPerMinute: 6000, concurrentRequests: 500 }, maxKeys: 1000 },
};

/** The nearest limit that was set: the key's own, the account's own, the plan's. */
export function limitsOf(plan: PlanName, ...own: readonly OwnLimits[]): Limits {
  const first = (field: keyof OwnLimits): number | null =>
    own.map((limits) => limits[field]).find((value) => value !== null) ?? null;
  return {
    requestsPerMinute: first("requests_per_minute") ?? plans[plan].limits.requestsPerMinute,
    concurrentRequests: first("concurrent_requests") ?? plans[plan].limits.concurrentRequests,
  };
}

export type OwnLimits = {
  readonly requests_per_minute: number | null;
  readonly concurrent_requests: number | null;
};

/** Own limits as they are asked for: absent leaves, null goes back to the next that is set. */
export type LimitsWish = {
  readonly requests_per_minute?: number | null | undefined;
  readonly concurrent_requests?: number | null | undefined;
};

export function ownLimits(wish: LimitsWish | undefined): OwnLimits {
  return {
    requests_per_minute: wish?.requests_per_minute ?? null,
    concurrent_requests: wish?.concurrent_requests ?? null,
  };
}
