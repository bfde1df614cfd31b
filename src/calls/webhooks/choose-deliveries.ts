import type { DueDelivery, NotNow } from "./delivery-queue.ts";

/** What is being tried at this moment, here. */
export type Running = ReadonlyMap<string, Pick<DueDelivery, "accountId" | "receiver">>;

export type TryBounds = {
  /** On this node. */
  readonly inAll: number;
  /** A receiver that is slow keeps its own messages waiting, */
  readonly perReceiver: number;
  /** and an account with many slow receivers its own as well. */
  readonly perAccount: number;
};

export const usualBounds: TryBounds = { inAll: 32, perReceiver: 2, perAccount: 8 };

/**
 * Of those that are due, as many as may be tried beside what is running. Who has the fewest tries at a receiver goes first
 * there, then who has the fewest in all: an account whose tries take long has others wait for one of them, not for all that
 * it has. Of equal ones the first, and in the order that they came in.
 */
export function chooseDeliveries(
  due: readonly DueDelivery[],
  running: Running,
  bounds: TryBounds,
): readonly DueDelivery[] {
  const counts = new TryCounts(running.values());
  const chosen = new Set<DueDelivery>();
  for (let free = bounds.inAll - running.size; free > 0; free -= 1) {
    const next = due
      .filter((one) => !chosen.has(one) && counts.hasRoomFor(one, bounds))
      .reduce<DueDelivery | undefined>(
        (first, one) => (first === undefined || counts.isBefore(one, first) ? one : first),
        undefined,
      );
    if (next === undefined) break;
    chosen.add(next);
    counts.add(next);
  }
  return due.filter((one) => chosen.has(one));
}

/** What need not be looked for, so that a long queue of one receiver hides nobody else's. */
export function notNow(running: Running, { perReceiver, perAccount }: TryBounds): NotNow {
  const { receivers, accounts } = new TryCounts(running.values());
  return {
    ids: [...running.keys()],
    receivers: full(receivers, perReceiver),
    accountIds: full(accounts, perAccount),
  };
}

type Try = Pick<DueDelivery, "accountId" | "receiver">;

/** Who has how many tries. */
class TryCounts {
  readonly receivers = new Map<string, number>();
  readonly accounts = new Map<string, number>();
  readonly #queues = new Map<string, number>();

  constructor(tries: Iterable<Try>) {
    for (const one of tries) this.add(one);
  }

  add(one: Try): void {
    for (const [counts, name] of [
      [this.receivers, one.receiver],
      [this.accounts, one.accountId],
      [this.#queues, queueOf(one)],
    ] as const)
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  hasRoomFor({ receiver, accountId }: Try, { perReceiver, perAccount }: TryBounds): boolean {
    return (
      (this.receivers.get(receiver) ?? 0) < perReceiver && (this.accounts.get(accountId) ?? 0) < perAccount
    );
  }

  isBefore(one: Try, other: Try): boolean {
    const there = (this.#queues.get(queueOf(one)) ?? 0) - (this.#queues.get(queueOf(other)) ?? 0);
    const inAll = (this.accounts.get(one.accountId) ?? 0) - (this.accounts.get(other.accountId) ?? 0);
    return there === 0 ? inAll < 0 : there < 0;
  }
}

function queueOf({ receiver, accountId }: Try): string {
  return `${receiver} ${accountId}`;
}

function full(counts: ReadonlyMap<string, number>, most: number): readonly string[] {
  return [...counts].filter(([, count]) => count >= most).map(([name]) => name);
}
