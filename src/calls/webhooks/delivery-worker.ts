/**
 * Delivers the messages to customers' servers that ended runs have left in the outbox: at least once each, always under
 * the same id, for at least a day. What a try came to is written down before the next one is due, so that any process
 * can go on where another one died.
 */
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Egress } from "../../egress/egress.ts";
import type { Database } from "../../storage/database.ts";
import { chooseDeliveries, notNow, usualBounds } from "./choose-deliveries.ts";
import type { TryBounds } from "./choose-deliveries.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import type { ClaimedDelivery, DueDelivery, TryOutcome } from "./delivery-queue.ts";
import { postDelivery } from "./post-delivery.ts";
import type { Posted } from "./post-delivery.ts";
import { nextTryAt } from "./retry-schedule.ts";
import { WebhookSecrets } from "./webhook-secrets.ts";

export type WorkerHouse = {
  readonly database: Database;
  readonly egress: Pick<Egress, "stream">;
  /** Says what is due, how long a lease lasts and what time a message bears. */
  readonly clock: Clock;
  readonly log: Log;
  /** The server's master secret, of which the signing secrets are derived. */
  readonly secret: string | Uint8Array;
  /** The ceiling of the first wait, see `retry-schedule.ts`. */
  readonly backoffMs: number;
  /** For one try, from the look-up of the name to the end of the answer. Default 20 seconds. */
  readonly timeoutMs?: number;
  readonly bounds?: TryBounds;
  /** 0 ≤ … < 1, for the waits. */
  readonly random?: () => number;
};

const usualTimeoutMs = 20_000;
/** By so much a lease is longer than a try. */
const leaseMarginMs = 40_000;
const lookEveryMs = 1_000;
/** A look that took longer than this is followed by a rest, so that looks leave the database to the calls. */
const longLookMs = 20;
const restPerLook = 4;
/** Looked at in one go; what one receiver has beyond that hides nobody else's, see `#take`. */
const mostLookedAt = 500;

type RunningTry = DueDelivery & { readonly over: Promise<void> };

export class DeliveryWorker {
  readonly #house: WorkerHouse;
  readonly #queue: DeliveryQueue;
  readonly #secrets: WebhookSecrets;
  readonly #bounds: TryBounds;
  readonly #timeoutMs: number;
  readonly #running = new Map<string, RunningTry>();
  readonly #cut = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #rest: NodeJS.Timeout | undefined;
  /** Something may have become due since the last look began. */
  #isAsked = false;
  #isStopping = false;
  #isBlind = false;

  constructor(house: WorkerHouse) {
    this.#house = house;
    this.#queue = new DeliveryQueue(house.database);
    this.#secrets = new WebhookSecrets(house);
    this.#bounds = house.bounds ?? usualBounds;
    this.#timeoutMs = house.timeoutMs ?? usualTimeoutMs;
  }

  /** Looks now, and from then on every second. */
  start(): void {
    this.#timer ??= setInterval(() => this.nudge(), lookEveryMs).unref();
    this.nudge();
  }

  /** Somebody knows that a message is due: it is looked for at once. Cheap, and does not fail. */
  nudge(): void {
    this.#isAsked = true;
    if (this.#isStopping || this.#looking !== undefined || this.#rest !== undefined) return;
    const began = this.#house.clock.monotonic();
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      this.#restAfter(this.#house.clock.monotonic() - began);
    });
  }

  /** Resolves when nothing is looked for and nothing is being tried. */
  async whenIdle(): Promise<void> {
    while (this.#looking !== undefined || this.#running.size > 0) {
      await this.#looking;
      await Promise.all([...this.#running.values()].map(({ over }) => over));
    }
  }

  /**
   * Begins no more tries and lets the running ones end. After `graceMs` they are cut off and their messages given back,
   * for another node or the next start. The database and the egress have to be there until this resolves.
   */
  async stop(graceMs = 1_000): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    clearTimeout(this.#rest);
    const timer = setTimeout(() => this.#cut.abort(), graceMs);
    await this.whenIdle();
    clearTimeout(timer);
  }

  #restAfter(lookMs: number): void {
    const goOn = (): void => {
      this.#rest = undefined;
      if (this.#isAsked) this.nudge();
    };
    if (lookMs <= longLookMs) goOn();
    else this.#rest = setTimeout(goOn, Math.min(lookMs * restPerLook, lookEveryMs)).unref();
  }

  async #look(): Promise<void> {
    this.#isAsked = false;
    try {
      while (await this.#take());
      this.#isBlind = false;
    } catch (error) {
      // Once per outage; the next look is a second away.
      if (!this.#isBlind) this.#house.log.warn({ err: error }, "webhooks to deliver could not be looked for");
      this.#isBlind = true;
      this.#isAsked = false;
    }
  }

  /**
   * Begins what is due and fits. True when there may be more: receivers that have all the tries they may have are left
   * out of the next look, so that it sees behind them.
   */
  async #take(): Promise<boolean> {
    if (this.#isStopping || this.#running.size >= this.#bounds.inAll) return false;
    const now = this.#house.clock.now();
    const due = await this.#queue.due(new Date(now), mostLookedAt, notNow(this.#running, this.#bounds));
    const chosen = chooseDeliveries(due, this.#running, this.#bounds);
    if (chosen.length === 0) return false;
    const leaseUntil = new Date(now + this.#timeoutMs + leaseMarginMs);
    const ids = chosen.map(({ id }) => id);
    const claimed = await this.#queue.claim(ids, new Date(now), leaseUntil);
    for (const message of claimed) {
      const one = chosen.find(({ id }) => id === message.id);
      if (one !== undefined) this.#begin(one, message);
    }
    return claimed.length > 0;
  }

  #begin(one: DueDelivery, message: ClaimedDelivery): void {
    const over = this.#try(message)
      .catch((error: unknown) => {
        // The lease runs out, and the message is tried again.
        this.#house.log.warn({ delivery: message.id, err: error }, "a try of a webhook broke off");
        return false;
      })
      .then((hasRoom) => {
        this.#running.delete(message.id);
        if (hasRoom) this.nudge();
      });
    this.#running.set(message.id, { ...one, over });
  }

  /** False when there is no point in looking for more right now. */
  async #try(message: ClaimedDelivery): Promise<boolean> {
    const keys = await this.#secrets.signingKeys(message);
    const triedAt = this.#house.clock.now();
    const posted = await this.#post(message, keys, triedAt);
    if (posted.result === "interrupted") {
      await this.#queue.giveBack(message);
      return false;
    }
    const outcome = this.#outcomeOf(posted, message, triedAt);
    if (await this.#queue.record(message, outcome)) this.#tell(message, posted, outcome);
    else await this.#queue.giveBack(message);
    return true;
  }

  async #post(message: ClaimedDelivery, keys: readonly Buffer[], now: number): Promise<Posted> {
    const { egress, log } = this.#house;
    const signal = this.#cut.signal;
    try {
      return await postDelivery(message, { egress, keys, now, timeoutMs: this.#timeoutMs, signal });
    } catch (error) {
      log.error({ delivery: message.id, err: error }, "a webhook could not be posted");
      return { result: "failed", status: null, fault: "internal_error", askedMs: 0, said: "" };
    }
  }

  #outcomeOf(
    posted: Exclude<Posted, { result: "interrupted" }>,
    { tries, firstTriedAt }: ClaimedDelivery,
    triedAt: number,
  ): TryOutcome {
    const { clock, backoffMs, random = Math.random } = this.#house;
    const now = clock.now();
    const tried = { status: posted.status, triedAt: new Date(triedAt), at: new Date(now) };
    if (posted.result === "delivered")
      return { ...tried, state: "delivered", fault: null, nextAt: new Date(now) };
    const { fault, askedMs } = posted;
    if (posted.result === "refused") return { ...tried, state: "refused", fault, nextAt: new Date(now) };
    const failed = { tries: tries + 1, firstTriedAt: firstTriedAt?.getTime() ?? triedAt, now, askedMs };
    const nextAt = nextTryAt(failed, { backoffMs, random });
    return nextAt === undefined
      ? { ...tried, state: "given_up", fault, nextAt: new Date(now) }
      : { ...tried, state: "waiting", fault, nextAt: new Date(nextAt) };
  }

  /** The address stays out of the log: customers put secrets of their own into it. */
  #tell({ id, runId, tries }: ClaimedDelivery, posted: Posted, { state, status, fault }: TryOutcome): void {
    if (posted.result === "interrupted" || posted.result === "delivered") return;
    const fields = { delivery: id, run_id: runId, tries: tries + 1, status, fault, said: posted.said };
    if (state === "waiting") this.#house.log.info(fields, "a webhook was not taken");
    else this.#house.log.warn({ ...fields, state }, "a webhook was given up");
  }
}
