import assert from "node:assert/strict";
import type { Limits } from "../core/caller.ts";
import { newId } from "../core/ids.ts";
import { agreesWithTheModel, type Home } from "./limiter-model.test-support.ts";
import type { Admission, Limiter, LimitState, Ticket } from "./limits.ts";

type Case = { readonly name: string; readonly holds: (home: Home) => Promise<void> };

/** What every home of the limiter promises; each case uses keys of its own. */
export const limiterBattery: readonly Case[] = [
  {
    name: "L-01 of 200 calls at once exactly 10 are admitted at a limit of 10",
    holds: (home) => burst(home, 200),
  },
  {
    name: "L-01 of 100 calls at once exactly 10 are admitted at a limit of 10",
    holds: (home) => burst(home, 100),
  },
  { name: "L-01 a refusal for rate says in whole seconds when to come back", holds: rateRefusal },
  { name: "L-02 exactly as many calls are open as the limit allows", holds: concurrency },
  { name: "L-03 a place is free once its call has left, however often it leaves", holds: doubleLeave },
  { name: "L-04 calls refused for concurrency use up nothing of the minute", holds: refusedBurnsNothing },
  { name: "L-04 a withdrawn call gives back both of its places, once", holds: withdrawn },
  { name: "L-05 the limits of one key do not touch another", holds: independentKeys },
  { name: "L-07 a changed plan holds from the next call on", holds: planChange },
  { name: "L-08 the remaining number is what the next calls find", holds: truthfulState },
  { name: "a limit of 0 admits nothing", holds: nothingAdmitted },
  {
    name: "every answer agrees with a plain count",
    holds: (home) => agreesWithTheModel(home, home.turn ? 1000 : 40),
  },
];

const plenty = 1_000_000;

async function burst({ limiter }: Home, calls: number): Promise<void> {
  const limits = { requestsPerMinute: 10, concurrentRequests: 500 };
  const { tickets, refusals } = await enterMany(limiter, { keyId: newId("key"), limits, calls });
  assert.equal(tickets.length, 10);
  assert.equal(refusals.length, calls - 10);
  for (const refusal of refusals) assert.equal(refusal.reason, "rate");
}

async function rateRefusal({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 3, concurrentRequests: 50 };
  const { refusals } = await enterMany(limiter, { keyId: newId("key"), limits, calls: 20 });
  assert.equal(refusals.length, 17);
  for (const { retryAfterSeconds, state } of refusals) {
    assert.ok(Number.isInteger(retryAfterSeconds) && retryAfterSeconds >= 1 && retryAfterSeconds <= 60);
    assert.equal(state.remaining, 0);
  }
}

async function concurrency({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 1000, concurrentRequests: 2 };
  const keyId = newId("key");
  const { tickets, refusals } = await enterMany(limiter, { keyId, limits, calls: 50 });
  assert.equal(tickets.length, 2);
  for (const refusal of refusals) {
    assert.equal(refusal.reason, "concurrency");
    assert.equal(refusal.retryAfterSeconds, 1);
  }
  tickets[0]?.leave();
  const next = await enterMany(limiter, { keyId, limits, calls: 10 });
  assert.equal(next.tickets.length, 1);
}

async function doubleLeave({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: plenty, concurrentRequests: 2 };
  const keyId = newId("key");
  for (let round = 0; round < 100; round += 1) {
    const { tickets } = await enterMany(limiter, { keyId, limits, calls: 2 });
    assert.equal(tickets.length, 2);
    for (const ticket of tickets) {
      ticket.leave();
      ticket.leave();
      ticket.withdraw();
    }
  }
  const { tickets } = await enterMany(limiter, { keyId, limits, calls: 10 });
  assert.equal(tickets.length, 2);
  assert.equal((await limiter.peek(keyId, limits)).remaining, plenty - 202);
}

async function refusedBurnsNothing({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 10, concurrentRequests: 1 };
  const keyId = newId("key");
  const long = await admitted(limiter, keyId, limits);
  const { refusals } = await enterMany(limiter, { keyId, limits, calls: 30 });
  assert.equal(refusals.length, 30);
  long.leave();
  for (let count = 0; count < 9; count += 1) (await admitted(limiter, keyId, limits)).leave();
  const tenth = await limiter.enter(keyId, limits);
  assert.equal(outcome(tenth), "rate");
}

async function withdrawn({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 2, concurrentRequests: 2 };
  const keyId = newId("key");
  const kept = await admitted(limiter, keyId, limits);
  for (let round = 0; round < 5; round += 1) {
    const ticket = await admitted(limiter, keyId, limits);
    ticket.withdraw();
    ticket.withdraw();
    ticket.leave();
    assert.equal((await limiter.peek(keyId, limits)).remaining, 1);
  }
  kept.leave();
  kept.withdraw();
  assert.equal((await limiter.peek(keyId, limits)).remaining, 1);
}

async function independentKeys({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 5, concurrentRequests: 5 };
  const [first, second, third] = [newId("key"), newId("key"), newId("key")];
  await enterMany(limiter, { keyId: first, limits, calls: 20 });
  for (const keyId of [second, third]) {
    assert.deepEqual(await limiter.peek(keyId, limits), { limit: 5, remaining: 5, resetSeconds: 0 });
    assert.equal((await enterMany(limiter, { keyId, limits, calls: 20 })).tickets.length, 5);
  }
}

async function planChange({ limiter }: Home): Promise<void> {
  const keyId = newId("key");
  const free = { requestsPerMinute: 3, concurrentRequests: 3 };
  const starter = { requestsPerMinute: 8, concurrentRequests: 5 };
  assert.equal((await enterMany(limiter, { keyId, limits: free, calls: 5 })).tickets.length, 3);
  const { tickets } = await enterMany(limiter, { keyId, limits: starter, calls: 5 });
  assert.equal(tickets.length, 2);
  const back = await limiter.enter(keyId, free);
  assert.equal(outcome(back), "rate");
  assert.equal((await limiter.peek(keyId, free)).remaining, 0);
}

async function truthfulState({ limiter }: Home): Promise<void> {
  const limits = { requestsPerMinute: 20, concurrentRequests: 3 };
  const keyId = newId("key");
  const open: Ticket[] = [];
  let before: LimitState = await limiter.peek(keyId, limits);
  assert.deepEqual(before, { limit: 20, remaining: 20, resetSeconds: 0 });
  for (let count = 0; count < 100; count += 1) {
    const answer = await limiter.enter(keyId, limits);
    const { remaining, resetSeconds } = answer.allowed ? answer.ticket.state : answer.state;
    assert.equal(outcome(answer), expectedOutcome(before, open.length < 3));
    assert.equal(remaining, before.remaining - (answer.allowed ? 1 : 0));
    assert.ok(remaining >= 0 && resetSeconds >= 1 && resetSeconds <= 60);
    if (answer.allowed) open.push(answer.ticket);
    if (count % 5 === 4) open.shift()?.leave();
    before = await limiter.peek(keyId, limits);
    assert.equal(before.remaining, remaining);
  }
  assert.equal(before.remaining, 0);
}

function expectedOutcome({ remaining }: LimitState, hasPlace: boolean): string {
  if (remaining === 0) return "rate";
  return hasPlace ? "allowed" : "concurrency";
}

function outcome(answer: Admission): string {
  return answer.allowed ? "allowed" : answer.reason;
}

async function nothingAdmitted({ limiter }: Home): Promise<void> {
  const answer = await limiter.enter(newId("key"), { requestsPerMinute: 0, concurrentRequests: 5 });
  assert.deepEqual(answer, {
    allowed: false,
    reason: "rate",
    retryAfterSeconds: 60,
    state: { limit: 0, remaining: 0, resetSeconds: 0 },
  });
}

type Burst = { readonly keyId: string; readonly limits: Limits; readonly calls: number };
type Refusal = Extract<Admission, { allowed: false }>;

/** Enters many calls at once. */
export async function enterMany(
  limiter: Limiter,
  { keyId, limits, calls }: Burst,
): Promise<{ readonly tickets: readonly Ticket[]; readonly refusals: readonly Refusal[] }> {
  const answers = await Promise.all(Array.from({ length: calls }, async () => limiter.enter(keyId, limits)));
  return {
    tickets: answers.flatMap((answer) => (answer.allowed ? [answer.ticket] : [])),
    refusals: answers.flatMap((answer) => (answer.allowed ? [] : [answer])),
  };
}

/** Enters one call that must be admitted. */
export async function admitted(limiter: Limiter, keyId: string, limits: Limits): Promise<Ticket> {
  const answer = await limiter.enter(keyId, limits);
  assert.ok(answer.allowed, "a call was refused that has room");
  return answer.ticket;
}
