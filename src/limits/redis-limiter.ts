import type { Limits } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Admission, Limiter, LimitState, Ticket } from "./limits.ts";
import { minuteMs } from "./memory-limiter.ts";
import { RedisLink, type ScriptCall } from "./redis-link.ts";
import { nodesKey, redisKeys, redisScripts } from "./redis-scripts.ts";
import { readPeek, readVerdict, type Verdict } from "./redis-verdict.ts";

export type RedisLimiterSettings = {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts this node's calls all along, and decides alone while Redis is away. */
  readonly fallback: Limiter;
  readonly windowMs?: number;
  /** How long the place of a call outlives a node that died. Renewed three times in it. */
  readonly leaseMs?: number;
  readonly answerWithinMs?: number;
};

/**
 * Exact limits for many nodes on one Redis. While Redis is away each node decides by its own count and its share of
 * the limit, so that all nodes together admit at most twice the limit in a window. That count also guards the return:
 * what was admitted meanwhile still counts.
 */
export function redisLimiter(settings: RedisLimiterSettings): Limiter {
  return new LimiterInRedis(settings);
}

/** An admitted call as this node keeps it. */
type Place = {
  readonly keyId: string;
  readonly ticketId: string;
  /** The entry in the window as Redis wrote it; undefined while it has not said. */
  admittedAt: string | undefined;
  ending: "open" | "left" | "withdrawn";
};

type Asked = { readonly keyId: string; readonly limits: Limits };
type Unanswered = Asked & { readonly late: Promise<Verdict>; readonly provisional: Ticket };
type Refusal = Extract<Admission, { allowed: false }>;

class LimiterInRedis implements Limiter {
  readonly #twin: Limiter;
  readonly #link: RedisLink;
  readonly #node = newId("node");
  readonly #windowMs: number;
  readonly #leaseMs: number;
  /** Open tickets per key, for renewal. */
  readonly #open = new Map<string, Set<string>>();
  #lastTicket = 0;
  #nodeCount = 1;

  constructor({
    windowMs = minuteMs,
    leaseMs = 15_000,
    answerWithinMs = 250,
    ...settings
  }: RedisLimiterSettings) {
    this.#twin = settings.fallback;
    this.#windowMs = windowMs;
    this.#leaseMs = leaseMs;
    this.#link = new RedisLink({
      ...settings,
      answerWithinMs,
      beatEveryMs: leaseMs / 3,
      beat: () => this.#beat(),
      onBeat: ([nodeCount]) => {
        if (typeof nodeCount === "number") this.#nodeCount = Math.max(1, nodeCount);
      },
    });
  }

  async enter(keyId: string, limits: Limits): Promise<Admission> {
    const here = await this.#twin.enter(keyId, this.#limitsHere(limits));
    if (!here.allowed) return this.#refusedHere(here, { keyId, limits });
    const place = this.#newPlace(keyId);
    if (this.#link.isAway) return this.#admit(place, here.ticket, here.ticket.state);
    const asked = this.#ask(place, limits);
    const verdict = await this.#link.inTime(asked);
    if (verdict === undefined) {
      return this.#decideHere(place, { keyId, limits, late: asked, provisional: here.ticket });
    }
    if (verdict.allowed) {
      place.admittedAt = verdict.admittedAt;
      return this.#admit(place, here.ticket, stricter(verdict.state, here.ticket.state));
    }
    here.ticket.withdraw();
    return { ...verdict, state: stricter(verdict.state, await this.#twin.peek(keyId, limits)) };
  }

  async peek(keyId: string, limits: Limits): Promise<LimitState> {
    if (!this.#link.isAway) {
      const keys = [redisKeys(keyId).minute];
      const asked = this.#link.run({ script: redisScripts.peek, keys, values: [this.#windowMs * 1000] });
      const answer = await this.#link.inTime(asked);
      if (answer !== undefined) {
        return stricter(readPeek(answer, limits), await this.#twin.peek(keyId, limits));
      }
    }
    return this.#twin.peek(keyId, this.#limitsHere(limits));
  }

  async stop(): Promise<void> {
    const last: ScriptCall[] = [
      { script: redisScripts.leave, keys: [nodesKey, nodesKey], values: [this.#node, ""] },
    ];
    for (const [keyId, tickets] of this.#open) {
      for (const ticketId of tickets) last.push(leaving({ keyId, ticketId, takenBack: undefined }));
    }
    await this.#link.stop(last);
    await this.#twin.stop();
  }

  /** What this node may admit: all of the limit with Redis, its share of it alone. A share is at least one call. */
  #limitsHere(limits: Limits): Limits {
    if (!this.#link.isAway || this.#nodeCount === 1) return limits;
    const share = (whole: number): number =>
      Math.min(whole, Math.max(1, Math.floor(whole / this.#nodeCount)));
    return {
      requestsPerMinute: share(limits.requestsPerMinute),
      concurrentRequests: share(limits.concurrentRequests),
    };
  }

  async #ask({ keyId, ticketId }: Place, limits: Limits): Promise<Verdict> {
    const { minute, open } = redisKeys(keyId);
    const { requestsPerMinute, concurrentRequests } = limits;
    const answer = await this.#link.run({
      script: redisScripts.enter,
      keys: [minute, open],
      values: [this.#windowMs * 1000, requestsPerMinute, concurrentRequests, ticketId, this.#leaseMs * 1000],
    });
    return readVerdict(answer, limits);
  }

  /** What this node alone has admitted is already too much. Other nodes may have left even less of the minute. */
  async #refusedHere(here: Refusal, { keyId, limits }: Asked): Promise<Admission> {
    if (here.reason === "rate" || this.#link.isAway) return here;
    return { ...here, state: await this.peek(keyId, limits) };
  }

  /** Redis did not answer in time. Its answer may still come, and is made to agree with what is decided here. */
  async #decideHere(place: Place, { keyId, limits, late, provisional }: Unanswered): Promise<Admission> {
    provisional.withdraw();
    const here = await this.#twin.enter(keyId, this.#limitsHere(limits));
    if (!here.allowed) place.ending = "withdrawn";
    late.then(
      (verdict) => {
        if (!verdict.allowed) return;
        place.admittedAt = verdict.admittedAt;
        if (place.ending === "withdrawn") this.#tell(place);
      },
      () => {},
    );
    return here.allowed ? this.#admit(place, here.ticket, here.ticket.state) : here;
  }

  #newPlace(keyId: string): Place {
    this.#lastTicket += 1;
    return { keyId, ticketId: `${this.#node}:${this.#lastTicket}`, admittedAt: undefined, ending: "open" };
  }

  #admit(place: Place, local: Ticket, state: LimitState): Admission {
    const tickets = this.#open.get(place.keyId) ?? new Set();
    this.#open.set(place.keyId, tickets.add(place.ticketId));
    const end = (ending: "left" | "withdrawn"): void => {
      if (place.ending !== "open") return;
      place.ending = ending;
      if (ending === "left") local.leave();
      else local.withdraw();
      tickets.delete(place.ticketId);
      if (tickets.size === 0 && this.#open.get(place.keyId) === tickets) this.#open.delete(place.keyId);
      this.#tell(place);
    };
    return { allowed: true, ticket: { state, leave: () => end("left"), withdraw: () => end("withdrawn") } };
  }

  /** Ends a place in Redis. When that is lost, the lease runs out by itself. */
  #tell({ keyId, ticketId, admittedAt, ending }: Place): void {
    const takenBack = ending === "withdrawn" ? admittedAt : undefined;
    this.#link.run(leaving({ keyId, ticketId, takenBack })).catch(() => {});
  }

  #beat(): readonly ScriptCall[] {
    const lease = this.#leaseMs * 1000;
    const calls: ScriptCall[] = [
      { script: redisScripts.beat, keys: [nodesKey], values: [lease, this.#node] },
    ];
    for (const [keyId, tickets] of this.#open) {
      calls.push({ script: redisScripts.renew, keys: [redisKeys(keyId).open], values: [lease, ...tickets] });
    }
    return calls;
  }
}

type Leaving = { readonly keyId: string; readonly ticketId: string; readonly takenBack: string | undefined };

function leaving({ keyId, ticketId, takenBack }: Leaving): ScriptCall {
  const { minute, open } = redisKeys(keyId);
  return { script: redisScripts.leave, keys: [minute, open], values: [ticketId, takenBack ?? ""] };
}

function stricter(one: LimitState, other: LimitState): LimitState {
  return {
    limit: one.limit,
    remaining: Math.min(one.remaining, other.remaining),
    resetSeconds: Math.max(one.resetSeconds, other.resetSeconds),
  };
}
