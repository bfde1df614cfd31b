import type { Clock } from "../../core/clock.ts";
import { Problem } from "../../core/problems.ts";
import type { Egress } from "../../egress/egress.ts";
import type { WorkerCode, WorkerPool } from "../worker-pool.ts";
import { fetchProblem, robotName, userAgentOf } from "./fetch-page.ts";
import type { work } from "./robots-task.ts";

export type RobotsSettings = {
  readonly egress: Pick<Egress, "stream">;
  readonly pool: WorkerPool;
  readonly clock: Clock;
};

export type RobotsVisit = {
  readonly url: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly param: string;
};

/** Of a robots.txt this much counts, as RFC 9309 asks for at least. */
const readBytes = 512 * 1024;
const keptMs = 60 * 60_000;
/** A site that cannot say its rules is asked again sooner. */
const failureKeptMs = 60_000;
const mostKept = 1000;
const mostKeptCharacters = 32 * 1024 * 1024;

type Rules = { readonly until: number } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unknown" }
);

const judging: WorkerCode<typeof work> = { url: new URL("./robots-task.ts", import.meta.url) };

/** What sites let us read, by RFC 9309; remembered per origin for an hour. */
export class Robots {
  readonly #settings: RobotsSettings;
  readonly #rules = new Map<string, Rules>();
  #characters = 0;

  constructor(settings: RobotsSettings) {
    this.#settings = settings;
  }

  /** Throws `invalid_request` where the site does not allow it, or cannot say whether it does. */
  async check(visit: RobotsVisit): Promise<void> {
    const { origin } = new URL(visit.url);
    const robotsUrl = `${origin}/robots.txt`;
    const rules = this.#known(origin) ?? this.#keep(origin, await this.#ask(robotsUrl, visit));
    if (rules.kind === "unknown")
      throw refusal("The site could not say in its robots.txt whether this page may be read.", visit);
    if (rules.text === "") return;
    const isAllowed = await this.#settings.pool.run(judging, {
      input: { robotsUrl, text: rules.text, url: visit.url, robot: robotName },
      signal: visit.signal,
      param: visit.param,
    });
    if (!isAllowed) throw refusal("The site's robots.txt does not allow this page to be read.", visit);
  }

  #known(origin: string): Rules | undefined {
    const rules = this.#rules.get(origin);
    return rules !== undefined && rules.until > this.#settings.clock.monotonic() ? rules : undefined;
  }

  async #ask(url: string, visit: RobotsVisit): Promise<Rules> {
    const { timeoutMs, signal } = visit;
    const now = this.#settings.clock.monotonic();
    try {
      const { status, body } = await this.#settings.egress.stream({
        url,
        headers: { accept: "text/plain,*/*;q=0.5", "user-agent": userAgentOf(false) },
        maxBytes: Number.MAX_SAFE_INTEGER,
        timeoutMs,
        signal,
      });
      const text = await startOf(body);
      if (status >= 500) return { kind: "unknown", until: now + failureKeptMs };
      return { kind: "text", text: status < 300 ? text : "", until: now + keptMs };
    } catch (error) {
      throw fetchProblem(error, visit);
    }
  }

  #keep(origin: string, rules: Rules): Rules {
    this.#forget(origin);
    this.#rules.set(origin, rules);
    this.#characters += sizeOf(rules);
    for (const [oldest] of this.#rules) {
      if (this.#rules.size <= mostKept && this.#characters <= mostKeptCharacters) break;
      this.#forget(oldest);
    }
    return rules;
  }

  #forget(origin: string): void {
    this.#characters -= sizeOf(this.#rules.get(origin));
    this.#rules.delete(origin);
  }
}

function sizeOf(rules: Rules | undefined): number {
  return rules?.kind === "text" ? rules.text.length : 0;
}

async function startOf(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let left = readBytes;
  for await (const piece of body) {
    pieces.push(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) break;
  }
  return Buffer.concat(pieces)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
}

function refusal(message: string, { param }: RobotsVisit): Problem {
  return new Problem("invalid_request", { message, param });
}
