import { Problem, problems } from "../core/problems.ts";
import type { ProblemCode, ProblemDetails } from "../core/problems.ts";
import type { UpstreamFailure } from "../providers/upstream.ts";
import type { UpstreamFault } from "../providers/wire.ts";
import type { Attempt } from "../routing/first-that-answers.ts";

type Failed = Extract<Attempt<never>, { state: "failed" }>;

/** What a provider's refusal means for the call: whose fault it is, what the customer reads, whether to go on. */
export function failedByFault(fault: UpstreamFault, model: string): Failed {
  const problem = problemOfFault(fault, model);
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
export function failedByConnection(failure: UpstreamFailure, model: string): Failed {
  return {
    state: "failed",
    problem: problemOfFailure(failure, model),
    tryNext: true,
    tryAgain: failure.kind === "refused" || failure.kind === "reset",
    unhealthy: failure.kind !== "unreadable" && failure.kind !== "too_large",
  };
}

/** `model` is the name that the customer asked for. */
export function problemOfFault(fault: UpstreamFault, model: string): Problem {
  const cause = fault.detail;
  switch (fault.kind) {
    case "rejected":
      if (fault.isTooLong === true)
        return new Problem("context_length_exceeded", { cause, param: "messages" });
      if (fault.isContent === true)
        return problemOf(model, "content_refused", { cause, param: "messages", message: refusedContent });
      return problemOf(model, "upstream_rejected_request", {
        cause,
        ...(fault.param === undefined ? {} : { param: fault.param }),
      });
    case "overloaded":
      return problemOf(model, "upstream_unavailable", {
        cause,
        retryAfterSeconds: Math.min(Math.max(1, fault.retryAfterSeconds ?? 5), 60),
      });
    case "account":
      return problemOf(model, "upstream_unavailable", { cause, retryAfterSeconds: 30 });
    case "unreadable":
      return problemOf(model, "upstream_invalid_response", { cause });
    case "broken":
      return problemOf(model, "upstream_error", { cause, message: "The provider of this model failed." });
  }
}

export function problemOfFailure(failure: UpstreamFailure, model = unnamed): Problem {
  const cause = `${failure.kind} at ${failure.stage}: ${failure.detail}`;
  switch (failure.kind) {
    case "timeout":
      return problemOf(model, "upstream_timeout", { cause });
    case "unreadable":
    case "too_large":
      return problemOf(model, "upstream_invalid_response", { cause });
    case "refused":
      return problemOf(model, "upstream_error", { cause });
    case "reset":
    case "aborted":
      return problemOf(model, "upstream_error", { cause, message: "The provider of this model broke off." });
  }
}

const unnamed = "this model";
const refusedContent =
  "The provider of this model refuses these messages by its rules on content. Nothing was charged.";

function problemOf(model: string, code: ProblemCode, details: ProblemDetails): Problem {
  return new Problem(code, {
    ...details,
    message: namedIn(details.message ?? problems[code].message, model),
  });
}

/** The register speaks of this model; whoever calls several, or no model in the usual sense, is told which one. */
export function namedIn(message: string, model: string): string {
  return message.replace(unnamed, () => model);
}
