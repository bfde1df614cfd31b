import { Problem } from "../../core/problems.ts";
import type { RunFault } from "../../providers/declared/run-wire.ts";
import type { UpstreamFailure } from "../../providers/upstream.ts";
import type { Attempt } from "../../routing/first-that-answers.ts";
import { problemOfFailure } from "../upstream-problems.ts";

type Failed = Extract<Attempt<never>, { state: "failed" }>;

/** What may be tried after a submission failed. */
export type Leeway = {
  readonly isRepeatable: boolean;
  readonly mayFallBack: boolean;
  /** A letter, a message, a payment: not to be done twice, by the customer either. */
  readonly actsOnWorld: boolean;
};

/**
 * A submission that the provider refused. Another offer is asked only when nothing was begun, or when asking twice does
 * no harm.
 */
export function refusedSubmission(
  fault: RunFault,
  { isRepeatable, mayFallBack, actsOnWorld }: Leeway,
): Failed {
  const wasNotBegun = fault.kind === "credential" || fault.kind === "busy" || fault.status === 503;
  const isInputs = fault.kind === "rejected" || fault.kind === "content";
  return {
    state: "failed",
    problem: actsOnWorld && wasPerhapsDone(fault) ? unknownOutcome(causeOf(fault)) : problemOfRunFault(fault),
    tryNext: mayFallBack && !isInputs && (wasNotBegun || isRepeatable),
    tryAgain: false,
    unhealthy: !isInputs && fault.kind !== "failed",
    retryAfterSeconds: fault.retryAfterSeconds,
  };
}

/** Clients ask again for what failed, in seconds and by themselves. */
function wasPerhapsDone({ kind, status }: RunFault): boolean {
  return kind === "unreadable" || (kind === "unavailable" && status >= 500 && status !== 503);
}

/** A submission whose connection failed. Once it was sent nobody knows whether the provider took it. */
export function brokenSubmission(failure: UpstreamFailure, { isRepeatable, mayFallBack }: Leeway): Failed {
  const wasSent = failure.kind !== "refused" && failure.stage !== "connect";
  const mayRepeat = isRepeatable || !wasSent;
  return {
    state: "failed",
    problem: mayRepeat ? problemOfFailure(failure) : unknownOutcome(failure.detail),
    tryNext: mayFallBack && mayRepeat,
    tryAgain: mayRepeat && (failure.kind === "refused" || failure.kind === "reset"),
    unhealthy: true,
  };
}

/** The work may have been done; it is not asked for again, and not charged. */
export function unknownOutcome(cause: unknown): Problem {
  return new Problem("outcome_unknown", { cause });
}

export function problemOfRunFault(fault: RunFault): Problem {
  const cause = causeOf(fault);
  switch (fault.kind) {
    case "rejected":
      return new Problem("upstream_rejected_request", { cause });
    case "content":
      return new Problem("content_refused", { cause });
    case "credential":
      return new Problem("upstream_unavailable", { cause, retryAfterSeconds: 30 });
    case "busy":
      return new Problem("upstream_unavailable", {
        cause,
        retryAfterSeconds: Math.min(Math.max(1, fault.retryAfterSeconds ?? 5), 60),
      });
    case "unavailable":
      return new Problem("upstream_error", { cause, message: "The provider of this model failed." });
    case "failed":
      return new Problem("run_failed", { cause });
    case "unreadable":
      return new Problem("upstream_invalid_response", { cause });
  }
}

function causeOf({ status, detail }: RunFault): string {
  return detail.startsWith(`${status} `) || status === 0 ? detail : `${status} ${detail}`.trim();
}
