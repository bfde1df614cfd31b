import { Redis } from "ioredis";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { redisScripts, type Script } from "./redis-scripts.ts";

export type ScriptCall = {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly values: readonly (string | number)[];
};

export type RedisLinkSettings = {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Longer than this without an answer counts as away. */
  readonly answerWithinMs: number;
  readonly beatEveryMs: number;
  /** What is written at every beat; the server is back once it has taken one in time. */
  readonly beat: () => readonly ScriptCall[];
  /** Hears the answers of a beat. */
  readonly onBeat: (answers: readonly unknown[]) => void;
};

/** How often a server that is away is asked whether it is back. */
const probeEveryMs = 1000;
/** A connection that owes an answer this long is given up for a new one. */
const silenceMs = 5000;
const connectMs = 3000;
const reconnectAtMostEveryMs = 1000;

/** One connection to Redis that knows whether the server can be relied on, and says so once per outage. */
export class RedisLink {
  readonly #settings: RedisLinkSettings;
  readonly #redis: Redis;
  #awaySince: number | undefined;
  #connectionError: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  /** What the last beat met cannot be written to: in a failover it became a replica. */
  #isReplica = false;
  #stopped = false;

  constructor(settings: RedisLinkSettings) {
    this.#settings = settings;
    this.#redis = new Redis(settings.url, {
      connectTimeout: connectMs,
      socketTimeout: silenceMs,
      retryStrategy: (times) => Math.min(times * 50, reconnectAtMostEveryMs),
      // A decision that could not be delivered is taken elsewhere; sending it later would count the call twice.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    this.#redis.on("error", (error: Error) => {
      this.#connectionError = error.message;
    });
    this.#redis.on("close", () => this.lose("connection closed"));
    this.#redis.on("ready", () => void this.#beat());
    this.#schedule(settings.beatEveryMs);
  }

  get isAway(): boolean {
    return this.#awaySince !== undefined;
  }

  /** Sends one script; rejects when the server cannot be reached or refuses. */
  async run({ script, keys, values }: ScriptCall): Promise<unknown> {
    try {
      return await this.#redis.evalsha(script.sha, script.keyCount, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return this.#redis.eval(script.text, script.keyCount, ...keys, ...values);
    }
  }

  /** The answer, or undefined when it fails or is late: then the server counts as away. */
  async inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      // After a stall of this process the answer may be here unread; one turn of the loop lets it be read first.
      const giveUp = (): unknown => setImmediate(() => resolve(undefined));
      timer = setTimeout(giveUp, this.#settings.answerWithinMs);
    });
    try {
      const first = await Promise.race([answer, late]);
      if (first === undefined) this.lose("no answer in time");
      return first;
    } catch (error) {
      this.lose(error instanceof Error ? error.message : String(error));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Counts the server as away until it takes a beat. Only the first loss of an outage is told. */
  lose(why: string): void {
    if (this.isAway || this.#stopped) return;
    const error = this.#connectionError ?? why;
    this.#awaySince = this.#settings.clock.monotonic();
    this.#settings.log.warn({ error }, "Redis is away; limits are decided locally");
    this.#schedule(probeEveryMs);
  }

  /** Sends what is left to say if the server listens, and closes. */
  async stop(last: readonly ScriptCall[]): Promise<void> {
    if (this.#stopped) return;
    // First no more beats: they would write again what is taken back here.
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (!this.isAway && this.#redis.status === "ready") {
      await this.inTime(Promise.allSettled(last.map((call) => this.run(call))));
    }
    this.#redis.disconnect();
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref();
  }

  /**
   * A server that became a replica keeps its connections, and the address may lead to another server by now. Only beats of
   * the timer lead to a new connection: that of a new connection would bring the next one at once.
   */
  async #look(): Promise<void> {
    await this.#beat();
    if (this.#isReplica && !this.#stopped) this.#redis.disconnect(true);
  }

  async #beat(): Promise<void> {
    if (this.#beating || this.#stopped) return;
    this.#beating = true;
    const answers = this.#redis.status === "ready" ? await this.inTime(this.#sendBeat()) : undefined;
    this.#beating = false;
    if (answers !== undefined) this.#welcome(answers);
    this.#schedule(this.isAway ? probeEveryMs : this.#settings.beatEveryMs);
  }

  /** One pipeline; it brings the scripts along, which a restarted server has forgotten. */
  async #sendBeat(): Promise<readonly unknown[]> {
    const pipeline = this.#redis.pipeline();
    const scripts = Object.values(redisScripts);
    for (const script of scripts) pipeline.script("LOAD", script.text);
    for (const { script, keys, values } of this.#settings.beat()) {
      pipeline.evalsha(script.sha, script.keyCount, ...keys, ...values);
    }
    const results = (await pipeline.exec()) ?? [];
    const failure = results.find(([error]) => error !== null)?.[0] ?? undefined;
    this.#isReplica = failure?.message.includes("READONLY") === true;
    if (failure !== undefined) throw failure;
    return results.slice(scripts.length).map(([, answer]) => answer);
  }

  #welcome(answers: readonly unknown[]): void {
    this.#connectionError = undefined;
    this.#settings.onBeat(answers);
    if (this.#awaySince === undefined) return;
    const awayMs = Math.round(this.#settings.clock.monotonic() - this.#awaySince);
    this.#awaySince = undefined;
    this.#settings.log.info({ awayMs }, "Redis is back");
  }
}
