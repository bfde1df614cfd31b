import { Problem } from "../core/problems.ts";
import type { UpstreamFailure } from "../providers/upstream.ts";
import type { UpstreamFault } from "../providers/wire.ts";
import type { Attempt } from "../routing/first-that-answers.ts";

type Failed = Extract<Attempt<never>, { state: "failed" }>;

/** What a provider's refusal means for the call: whose fault it is, what the customer reads, whether to go on. */
export function failedByFault(fault: UpstreamFault): Failed {
  const problem = problemOfFault(fault);
  return {
    state: "failed",
    problem,
    tryNext: fault.kind !== "rejected",
    tryAgain: false,
    unhealthy: fault.kind !== "rejected" && fault.kind !== "unreadable",
    retryAfterSeconds: fault.retryAfterSeconds,
  };
}

/** A connection that failed before the first byte. */
export function failedByConnection(failure: UpstreamFailure): Failed {
  return {
    state: "failed",
    problem: problemOfFailure(failure),
    tryNext: true,
    tryAgain: failure.kind === "refused" || failure.kind === "reset",
    unhealthy: failure.kind !== "unreadable" && failure.kind !== "too_large",
  };
}

export function problemOfFault(fault: UpstreamFault): Problem {
  const cause = fault.detail;
  switch (fault.kind) {
    case "rejected":
      if (fault.isTooLong === true)
        return new Problem("context_length_exceeded", { cause, param: "messages" });
      return new Problem("upstream_rejected_request", {
        cause,
        ...(fault.param === undefined ? {} : { param: fault.param }),
      });
    case "overloaded":
      return new Problem("upstream_unavailable", {
        cause,
        retryAfterSeconds: Math.min(Math.max(1, fault.retryAfterSeconds ?? 5), 60),
      });
    case "account":
      return new Problem("upstream_unavailable", { cause, retryAfterSeconds: 30 });
    case "unreadable":
      return new Problem("upstream_invalid_response", { cause });
    case "broken":
      return new Problem("upstream_error", { cause, message: "The provider of this model failed." });
  }
}

export function problemOfFailure(failure: UpstreamFailure): Problem {
  const cause = `${failure.kind} at ${failure.stage}: ${failure.detail}`;
  switch (failure.kind) {
    case "timeout":
      return new Problem("upstream_timeout", { cause });
    case "unreadable":
    case "too_large":
      return new Problem("upstream_invalid_response", { cause });
    case "refused":
      return new Problem("upstream_error", { cause });
    case "reset":
    case "aborted":
      return new Problem("upstream_error", { cause, message: "The provider of this model broke off." });
  }
}
