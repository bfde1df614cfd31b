import type { RunContext, RunMemory } from "./run-wire.ts";
import type { Scope } from "./place.ts";
import type { ToldAnswer } from "./read-answer.ts";

/**
 * Which names expressions know, by when they are evaluated. `res`, `headers` and `status` are the answer being read;
 * once the work has ended, they are the answer that ended it, and `poll` is another name for it.
 */
const always = ["inputs", "env", "run"];
const answered = [...always, "res", "headers", "status"];

export const rootsOf = {
  reserve: new Set(["inputs", "env"]),
  submission: new Set(always),
  answer: new Set(answered),
  skip: new Set([...answered, "submit"]),
  pollQuestion: new Set([...always, "submit"]),
  pollAnswer: new Set([...answered, "submit", "poll"]),
} as const;

/** The names after the work: `poll` where there is polling, and the fetches so far. */
export function rootsAfterWork(hasPolling: boolean, fetched: readonly string[]): ReadonlySet<string> {
  return new Set([...answered, "submit", ...(hasPolling ? ["poll"] : []), ...fetched]);
}

/** Names that a fetch cannot have. `next` is where the page before says that this one is. */
export const takenNames: ReadonlySet<string> = new Set([...answered, "submit", "poll", "next"]);

export function scopeOfRun({ inputs, env, run }: RunContext): Scope {
  const webhook = run.webhookUrl === undefined ? {} : { webhook_url: run.webhookUrl };
  return { inputs, env, run: { id: run.id, ...webhook } };
}

export function withAnswer(scope: Scope, { res, headers, status }: ToldAnswer): Scope {
  return { ...scope, res, headers, status };
}

export function scopeAfterWork(context: RunContext, memory: RunMemory): Scope {
  // Where it was never asked again, the first answer is the one that ended the work.
  const end = "poll" in memory ? memory.poll : memory.submit;
  return {
    ...scopeOfRun(context),
    submit: memory.submit,
    poll: end,
    res: end,
    headers: memory.headers,
    status: memory.status,
    ...memory.fetched,
  };
}
