import { follow } from "../../providers/trusted-addresses.ts";
import type { Followed } from "../../providers/trusted-addresses.ts";
import type { RunAsk } from "../../providers/declared/run-wire.ts";
import type { DrivenRun } from "./driven-run.ts";
import type { RunHouse, RunLine } from "./run-house.ts";

/**
 * A provider that no longer knows us has done what it was asked for all the same, and an operator may put in another key,
 * pay a bill or open an address. A result that is still refused then is given up.
 */
const giveUpMs = 6 * 3_600_000;
const firstPauseMs = 1_000;
const longestPauseMs = 300_000;
const refusing: readonly number[] = [401, 402, 403];

/** The status of an answer, and the way on which the credential went along to get it. */
export type Refusal = { readonly status: number; readonly way: Followed };

/** Undefined where the credential does not go along. */
export function ownWay(line: RunLine, target: RunAsk["target"]): Followed | undefined {
  if (!("connection" in line)) return undefined;
  const { connection, trustedHosts } = line;
  return "path" in target ? { connection, path: target.path } : follow(connection, trustedHosts, target.url);
}

/** Whether to ask again; if so, the operator, who alone can mend it, has a line in the log. The sandbox gets no other key. */
export function mayKnowUsAgain({ row }: DrivenRun, house: RunHouse, { status, way }: Refusal): boolean {
  const ageMs = house.clock.now() - row.created_at.getTime();
  if (!refusing.includes(status) || row.mode !== "live" || ageMs > giveUpMs) return false;
  house.log.error(
    { run_id: row.id, model: row.model_id, provider: way.connection.baseUrl, status },
    "a run's provider refuses our credential; it is asked again for what it did",
  );
  return true;
}

export function pauseOfRefusals(refusals: number): number {
  return Math.min(firstPauseMs * 2 ** (refusals - 1), longestPauseMs);
}

/** A file of the result is not given, at an address to which the credential went along. */
export class FileRefused extends Error {
  readonly refusal: Refusal;

  constructor(message: string, refusal: Refusal) {
    super(message);
    this.refusal = refusal;
  }
}
