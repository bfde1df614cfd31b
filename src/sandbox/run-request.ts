import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { fingerprintOf } from "./answers/random.ts";
import { formIn } from "./bracketed-form.ts";
import { directivesOf, jobOrdersOf } from "./directives.ts";
import type { Directives, JobOrders } from "./directives.ts";
import type { JobDesk } from "./job-desk.ts";
import { idOf, jobAt, usualWorkMs } from "./job.ts";
import type { Job } from "./job.ts";
import { isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import type { MediaFile } from "./media/media-file.ts";
import { tokenOf } from "./media/media-token.ts";
import { partsIn } from "./multipart.ts";
import type { FormPart } from "./multipart.ts";
import { orderTextIn } from "./order-text.ts";
import { Refusal } from "./refusal.ts";

/** Some 24 days: a timer takes no more, and no client waits that long. */
const longestTimerMs = 2_147_483_647;

/** What came over the line, before anything is read from it. */
export type Arrival = {
  readonly provider: string;
  readonly method: string;
  /** Below the provider's part, as sent: `/v2/crawl/abc`. */
  readonly path: string;
  /** The parts of the path that the route names, decoded. */
  readonly named: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborted when the client leaves or the sandbox stops. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970; goes on even where a chat's time stands still, as jobs would never end otherwise. */
  readonly now: () => number;
  readonly desk: JobDesk;
};

/** One request to an emulator. What is expensive to read is read when it is asked for. */
export class RunRequest {
  readonly provider: string;
  readonly method: string;
  readonly path: string;
  readonly named: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** The absolute address of this emulator, without a slash at the end: for polls, files, cursors. */
  readonly baseUrl: string;
  readonly orders: Directives;
  readonly jobOrders: JobOrders;
  readonly #desk: JobDesk;
  #seed: string | undefined;
  #json: JsonObject | undefined;
  #formParts: readonly FormPart[] | undefined;

  constructor(arrival: Arrival) {
    const { headers } = arrival;
    this.provider = arrival.provider;
    this.method = arrival.method;
    this.path = arrival.path;
    this.named = arrival.named;
    this.query = arrival.query;
    this.headers = headers;
    this.body = arrival.body;
    this.signal = arrival.signal;
    this.now = arrival.now;
    this.#desk = arrival.desk;
    this.baseUrl = `http://${headers.host ?? "localhost"}/${arrival.provider}`;
    const prompt = orderTextIn(arrival);
    this.orders = directivesOf({ headers, model: "", prompt });
    this.jobOrders = jobOrdersOf({ headers, prompt });
  }

  /** Sixty-four hexadecimal digits that stand for what is asked: the same request has the same ones. */
  get seed(): string {
    this.#seed ??= fingerprintOf(`${this.method} ${this.path}?${this.query.toString()} ${this.#asked()}`);
    return this.#seed;
  }

  #asked(): string {
    if (!this.#isMultipart()) return this.body.toString("latin1");
    // The boundary of a multipart body is drawn anew each time.
    const parts = this.formParts().map(({ name, bytes }) => `${name}=${bytes.toString("latin1")}`);
    return parts.join("&");
  }

  /** A part of the path by the name the route gives it. */
  in(name: string): string {
    return this.named[name] ?? "";
  }

  header(name: string): string {
    const value = this.headers[name];
    return typeof value === "string" ? value : "";
  }

  /** The body as a JSON object; no body counts as an empty one. 400 with the code `bad_json` for anything else. */
  json(): JsonObject {
    this.#json ??= this.#readJson();
    return this.#json;
  }

  #readJson(): JsonObject {
    if (this.body.length === 0) return {};
    let value: unknown;
    try {
      value = JSON.parse(this.body.toString("utf8"));
    } catch {
      value = undefined;
    }
    if (isObject(value)) return value;
    throw new Refusal(400, "The body is not a JSON object.", { code: "bad_json" });
  }

  /** A form-encoded body with brackets; every value is a string. */
  form(): JsonObject {
    return formIn(this.body.toString("utf8"));
  }

  formParts(): readonly FormPart[] {
    this.#formParts ??= partsIn(this.body, this.header("content-type"));
    return this.#formParts;
  }

  /** The plain fields of a multipart body; a name that comes again is a list, with or without `[]` at its end. */
  fields(): JsonObject {
    const fields = new Map<string, string | string[]>();
    for (const { name, filename, bytes } of this.formParts()) {
      if (filename !== undefined) continue;
      const bare = name.replace(/\[\]$/, "");
      const value = bytes.toString("utf8");
      const before = fields.get(bare);
      const isList = name !== bare || before !== undefined;
      fields.set(bare, isList ? [before ?? [], value].flat() : value);
    }
    return Object.fromEntries(fields);
  }

  /** The files of a multipart body under a name, with or without `[]` at its end. */
  files(name: string): readonly FormPart[] {
    return this.formParts().filter(
      (part) => part.filename !== undefined && part.name.replace(/\[\]$/, "") === name,
    );
  }

  #isMultipart(): boolean {
    return /^multipart\/form-data/i.test(this.header("content-type"));
  }

  /** The address of a file, good for so many milliseconds from now, or for ever. */
  fileUrl(file: MediaFile, lifetimeMs?: number): string {
    const life = this.jobOrders.fileMs ?? lifetimeMs;
    return this.#urlOf(file, life === undefined ? undefined : this.now() + life);
  }

  /** The address of a file of a job's result, the same one at every poll; its life begins with the end of the work. */
  fileUrlOf(job: Job, file: MediaFile, lifetimeMs?: number): string {
    const life = job.orders.fileMs ?? lifetimeMs;
    return this.#urlOf(file, life === undefined ? undefined : job.endsAt + life);
  }

  #urlOf(file: MediaFile, expiresAt: number | undefined): string {
    return `${this.baseUrl}/files/${tokenOf(file, expiresAt)}`;
  }

  /** Begins a job; `facts` is what its result needs to know of this request, and travels in its id: keep it small. */
  begin(facts: JsonObject, workMs = usualWorkMs): Job {
    const begunAt = this.now();
    const plan = {
      begunAt,
      workMs: this.jobOrders.workMs ?? workMs,
      seed: this.seed.slice(0, 16),
      serial: this.#desk.serial(),
      orders: this.jobOrders,
      facts,
    };
    return jobAt(plan, idOf(plan), begunAt);
  }

  /** The job by its id, for a client that asks how it stands; see `JobDesk.polled`. */
  polled(id: string): Job | undefined {
    return this.#desk.polled(id, this.now());
  }

  /** The job by its id, without counting as a poll. */
  job(id: string): Job | undefined {
    return this.#desk.known(id, this.now());
  }

  /**
   * The job when its work is done, for providers that answer only then: waits as long as that takes, and for a job that does
   * not end until the client leaves.
   */
  async finished(job: Job): Promise<Job> {
    const workMs = job.orders.end === "never" ? longestTimerMs : job.workMs;
    await wait(workMs, undefined, { signal: this.signal });
    return jobAt(job, job.id, job.endsAt);
  }

  cancel(id: string): Job | undefined {
    return this.#desk.cancel(id, this.now());
  }
}
