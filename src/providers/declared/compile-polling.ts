import type { EndpointPolling } from "../../core/endpoint.ts";
import { compileExpression } from "./expression.ts";
import type { Whereabouts } from "./expression.ts";
import { missing } from "./place.ts";
import type { EndpointFault, Evaluate, Scope } from "./place.ts";
import { compileQuestion } from "./question.ts";
import type { CompiledQuestion } from "./question.ts";
import { rootsOf } from "./scopes.ts";
import type { ValuePath } from "./value-path.ts";

export type CompiledPolling = {
  readonly skipWhen: Evaluate;
  readonly poll: CompiledQuestion;
  readonly cancel: CompiledQuestion | undefined;
  readonly status: Evaluate;
  readonly message: Evaluate;
  readonly progress: Evaluate;
  readonly done: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
  /** How long to wait after having been told so often that it is not done. */
  readonly waitMs: (polls: number) => number;
  /** What it reads of the scope from one poll to the next. */
  readonly reads: readonly ValuePath[];
};

export function compilePolling(polling: EndpointPolling, faults: EndpointFault[]): CompiledPolling {
  checkPolling(polling, faults);
  const at = (member: string, roots: ReadonlySet<string>): Whereabouts => ({
    path: `polling.${member}`,
    roots,
    faults,
  });
  const ofAnswer = (name: "status" | "message" | "progress") =>
    compileExpression(polling[name] ?? null, at(name, rootsOf.pollAnswer));
  const poll = compileQuestion(polling.poll, at("poll", rootsOf.pollQuestion));
  const cancel =
    polling.cancel === undefined
      ? undefined
      : compileQuestion(polling.cancel, at("cancel", rootsOf.pollQuestion));
  const [status, message, progress] = [ofAnswer("status"), ofAnswer("message"), ofAnswer("progress")];
  const skipWhen =
    polling.skipWhen === undefined
      ? missing
      : compileExpression(polling.skipWhen, at("skip_when", rootsOf.skip)).evaluate;
  return {
    skipWhen,
    poll,
    cancel,
    status: status.evaluate,
    message: message.evaluate,
    progress: progress.evaluate,
    done: new Set(polling.done),
    failed: new Set(polling.failed),
    waitMs: (polls) => Math.min(polling.intervalMs * polling.backoff ** polls, polling.maxIntervalMs),
    reads: [poll, cancel, status, message, progress].flatMap((part) => part?.reads ?? []),
  };
}

function checkPolling(polling: EndpointPolling, faults: EndpointFault[]): void {
  const check = (isRight: boolean, member: string, message: string): void => {
    if (!isRight) faults.push({ path: `polling.${member}`, message });
  };
  const { done, failed, intervalMs, backoff, maxIntervalMs, maxMs } = polling;
  check(done.length > 0, "done", "want the statuses that mean that it is done");
  check(!failed.some((status) => done.includes(status)), "failed", "a status is either done or failed");
  check(intervalMs >= 1 && Number.isFinite(intervalMs), "interval_ms", "want one millisecond or more");
  check(backoff >= 1 && Number.isFinite(backoff), "backoff", "want 1 or more");
  check(maxIntervalMs >= intervalMs, "max_interval_ms", "want no less than interval_ms");
  check(maxMs >= 1, "max_ms", "want one millisecond or more");
}

/** 0 to 1; undefined when the provider tells no such number. */
export function progressIn(polling: CompiledPolling, scope: Scope): number | undefined {
  const told = polling.progress(scope);
  return typeof told === "number" && Number.isFinite(told) ? Math.min(Math.max(told, 0), 1) : undefined;
}
