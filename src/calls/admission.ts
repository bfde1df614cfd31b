import { Problem } from "../core/problems.ts";
import type { Admission, LimitState, Ticket } from "../limits/limits.ts";

/** The ticket of an admitted call. Throws `LimitReached`. */
export function admitted(admission: Admission): Ticket {
  if (admission.allowed) return admission.ticket;
  throw new LimitReached(admission);
}

/** Carries what the headers say of the limits. */
export class LimitReached extends Problem {
  readonly state: LimitState;

  constructor({ reason, retryAfterSeconds, state }: Exclude<Admission, { allowed: true }>) {
    super(reason === "rate" ? "rate_limit_exceeded" : "concurrency_limit_exceeded", { retryAfterSeconds });
    this.state = state;
  }
}
