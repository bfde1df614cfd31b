import { Refusal } from "./refusal.ts";
import type { RunAnswer } from "./run-answer.ts";
import type { RunRequest } from "./run-request.ts";

/** What a provider says when a key comes again with another request. */
export type KeyReused = { readonly status: number; readonly message: string; readonly code: string };

type Kept = { readonly asked: string; readonly answer: RunAnswer };
export type AnsweredOnce = { readonly answer: RunAnswer; readonly isReplay: boolean };

/** The oldest are forgotten beyond this many. */
const mostKept = 10_000;
const kept = new Map<string, Kept>();
let serial = 0;

/**
 * Providers that take an `Idempotency-Key` answer an equal request under the same key with the same answer, and refuse
 * another request under it. `make` gets a seed for ids: the same for equal requests under one key, and a new one every
 * time where there is no key, as two equal messages are two messages. A refusal is not kept.
 */
export function answeredOnce(
  request: RunRequest,
  reused: KeyReused,
  make: (seed: string) => RunAnswer,
): AnsweredOnce {
  const key = request.header("idempotency-key");
  if (key === "") {
    serial += 1;
    return { answer: make(`${request.seed} ${request.now()} ${serial}`), isReplay: false };
  }
  const name = `${request.provider} ${request.header("authorization")} ${key}`;
  const before = kept.get(name);
  if (before !== undefined && before.asked !== request.seed) {
    throw new Refusal(reused.status, reused.message, { code: reused.code });
  }
  if (before !== undefined) return { answer: before.answer, isReplay: true };
  const answer = make(`${name} ${request.seed}`);
  keep(name, { asked: request.seed, answer });
  return { answer, isReplay: false };
}

function keep(name: string, one: Kept): void {
  if (kept.size >= mostKept) {
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      break;
    }
  }
  kept.set(name, one);
}
