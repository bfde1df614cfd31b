import { isOver, jobAt, planIn } from "./job.ts";
import type { Job } from "./job.ts";
import { Refusal } from "./refusal.ts";

/** What is remembered of jobs beside their ids: too little to be worth keeping over a restart. */
export type JobDesk = {
  /** A number that no other call gets. */
  serial(): number;
  /**
   * The job as it stands, for a client that asks how it stands. Undefined when there is none by this id, or when polls
   * were ordered not to know it yet; throws the refusal that was ordered for a poll.
   */
  polled(id: string, now: number): Job | undefined;
  /** The job as it stands, without counting as a poll. */
  known(id: string, now: number): Job | undefined;
  /** Undefined when there is no such job; one that is over stays as it is. */
  cancel(id: string, now: number): Job | undefined;
};

/** The oldest are forgotten beyond this many. */
const mostRemembered = 10_000;

export function jobDesk(): JobDesk {
  const polls = new Map<string, number>();
  const cancelled = new Map<string, number>();
  let serial = 0;
  const known = (id: string, now: number): Job | undefined => {
    const plan = planIn(id);
    if (plan === undefined) return undefined;
    const cancelledAt = cancelled.get(id);
    const job = jobAt(plan, id, Math.min(now, cancelledAt ?? now));
    return cancelledAt === undefined ? job : { ...job, state: "cancelled" };
  };
  return {
    serial: () => (serial += 1),
    known,
    polled(id, now) {
      const job = known(id, now);
      if (job === undefined) return undefined;
      const { unknownPolls, pollStatus } = job.orders;
      if (unknownPolls === 0 && pollStatus === undefined) return job;
      const count = (polls.get(id) ?? 0) + 1;
      remember(polls, id, count);
      if (count <= unknownPolls) return undefined;
      if (pollStatus !== undefined && count === unknownPolls + 1) {
        throw new Refusal(pollStatus, `The sandbox was ordered to answer this poll with ${pollStatus}.`);
      }
      return job;
    },
    cancel(id, now) {
      const job = known(id, now);
      if (job === undefined || isOver(job)) return job;
      remember(cancelled, id, now);
      return { ...job, state: "cancelled" };
    },
  };
}

function remember(memory: Map<string, number>, id: string, value: number): void {
  if (memory.size >= mostRemembered && !memory.has(id)) {
    for (const oldest of memory.keys()) {
      memory.delete(oldest);
      break;
    }
  }
  memory.set(id, value);
}
