import type { Mode } from "./caller.ts";
import type { Credits } from "./credits.ts";
import type { Usage } from "./usage.ts";

/**
 * How a call ended. `done`: answered whole. `aborted`: the client left, delivered part charged.
 * `failed`: no answer, nothing charged. `empty`: the provider answered with no output, nor with thinking up to its limit:
 * nothing charged. `recovered`: closed after a crash.
 */
export type Ending = "done" | "aborted" | "failed" | "empty" | "recovered";

/** What a call cost in the end. One per call, written in the same commit as its settlement. */
export type Receipt = {
  readonly callId: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly mode: Mode;
  /** The model as the customer asked for it. */
  readonly model: string;
  /** `provider/upstream model` that served; empty when none did. */
  readonly servedBy: string;
  readonly usage: Usage;
  /** True when any part of the usage was counted here because the provider did not tell. */
  readonly estimated: boolean;
  readonly cost: Credits;
  readonly ending: Ending;
  /** Problem code when the call failed, else null. */
  readonly problem: string | null;
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number;
};
