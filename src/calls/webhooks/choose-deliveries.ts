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

/** The first of those that are due, as many as may be tried beside what is running. */
export function chooseDeliveries(
  due: readonly DueDelivery[],
  running: Running,
  bounds: TryBounds,
): readonly DueDelivery[] {
  const { receivers, accounts } = countsOf(running);
  let free = bounds.inAll - running.size;
  const chosen: DueDelivery[] = [];
  for (const one of due) {
    if (free <= 0) break;
    const ofReceiver = receivers.get(one.receiver) ?? 0;
    const ofAccount = accounts.get(one.accountId) ?? 0;
    if (ofReceiver >= bounds.perReceiver || ofAccount >= bounds.perAccount) continue;
    receivers.set(one.receiver, ofReceiver + 1);
    accounts.set(one.accountId, ofAccount + 1);
    free -= 1;
    chosen.push(one);
  }
  return chosen;
}

/** What need not be looked for, so that a long queue of one receiver hides nobody else's. */
export function notNow(running: Running, { perReceiver, perAccount }: TryBounds): NotNow {
  const { receivers, accounts } = countsOf(running);
  return {
    ids: [...running.keys()],
    receivers: full(receivers, perReceiver),
    accountIds: full(accounts, perAccount),
  };
}

function countsOf(running: Running) {
  const receivers = new Map<string, number>();
  const accounts = new Map<string, number>();
  for (const { receiver, accountId } of running.values()) {
    receivers.set(receiver, (receivers.get(receiver) ?? 0) + 1);
    accounts.set(accountId, (accounts.get(accountId) ?? 0) + 1);
  }
  return { receivers, accounts };
}

function full(counts: ReadonlyMap<string, number>, most: number): readonly string[] {
  return [...counts].filter(([, count]) => count >= most).map(([name]) => name);
}
