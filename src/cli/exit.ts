import type { JsonObject } from "../core/json-object.ts";

/** How a command ends, as scripts read it. */
export const exitCodes = { ok: 0, failed: 1, wrongUse: 2, unreachable: 3, interrupted: 130 } as const;

export const exitCodesText = `Exit codes:
  0    done
  1    refused or failed
  2    wrong use: an unknown option, a missing key or token
  3    the server is not reachable
  130  ended with Ctrl-C`;

/** The command as it was written cannot be run; the message says what to write instead. */
export class WrongUse extends Error {
  override readonly name = "WrongUse";
}

/** A person pressed Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Whoever read our output has stopped reading, as `head` does. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

type OpenEnd = {
  readonly cause: unknown;
  /** What people are told behind the failure: what is open, and what to do about it. */
  readonly advice: string;
  /** The same for programs, in the error object. */
  readonly members: JsonObject;
};

/** A command failed, or was interrupted, when something may have been done or goes on at the server. */
export class LeftOpen extends Error {
  override readonly name = "LeftOpen";
  readonly advice: string;
  readonly members: JsonObject;

  constructor({ cause, advice, members }: OpenEnd) {
    super(advice, { cause });
    this.advice = advice;
    this.members = members;
  }
}
