import type { Problem } from "../core/problems.ts";
import type { Exchange, Upstream, UpstreamFailure } from "../providers/upstream.ts";
import type { StreamTranslation, UpstreamFault } from "../providers/wire.ts";
import type { ChatClient } from "./chat-client.ts";
import { failedByConnection, failedByFault, problemOfFailure, problemOfFault } from "./upstream-problems.ts";
import { AnswerReader, endedByUs } from "./upstream-try.ts";
import type { Try } from "./upstream-try.ts";

/** How a stream ended: `complete` (nothing but the kept finish frames is missing), or early for one of three reasons. */
export type StreamEnd =
  | { readonly state: "complete" }
  | { readonly state: "broken"; readonly problem: Problem }
  | { readonly state: "gone" }
  | { readonly state: "cut" };

/** What a stream needs of a client. */
type FrameReader = Pick<ChatClient, "write" | "onDrain">;

/** A provider that told the finish and not the end has this long for its usage: not all of them end the stream then. */
const usageWithinMs = 3_000;

const withoutFinish = { kind: "unreadable", detail: "the stream ended without a finish" } as const;

/**
 * One streamed answer. First a try: until the first frame is here it may still fail over. Then it flows to the client
 * frame by frame, as fast as the client reads.
 */
export class LiveStream extends AnswerReader<LiveStream> {
  readonly translation: StreamTranslation;
  readonly #ended = Promise.withResolvers<StreamEnd>();
  #exchange: Exchange | undefined;
  #client: FrameReader | undefined;
  #early = "";
  #end: StreamEnd | undefined;
  #isPaused = false;
  #usageTimer: NodeJS.Timeout | undefined;
  /** Some providers report usage all along: only what is told with or after the finish is the whole. */
  #usageBefore: StreamTranslation["usage"];

  constructor(tried: Try) {
    super(tried);
    this.translation = tried.line.wire.stream(tried.view, tried.line.target);
  }

  start(upstream: Upstream): this {
    const { line, request, timeouts } = this.tried;
    this.#exchange = upstream.send({ connection: line.connection, request, timeouts }, this);
    return this;
  }

  /** The first frames, not yet delivered. */
  get early(): string {
    return this.#early;
  }

  /** The client has more to read than it takes. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Delivers until the stream ends, however it ends. */
  flow(client: FrameReader): Promise<StreamEnd> {
    this.#client = client;
    client.onDrain(() => {
      this.#isPaused = false;
      this.#exchange?.resume();
    });
    if (this.#early !== "") this.#write(this.#early);
    this.#early = "";
    return this.#ended.promise;
  }

  /** Ends the stream from our side: the client is gone, or this process is going. */
  abort(why: "gone" | "cut"): void {
    this.#endWith({ state: why });
    this.#exchange?.abort();
    this.tell(endedByUs);
  }

  override onFailure(failure: UpstreamFailure): void {
    if (this.#end !== undefined) return;
    if (this.translation.complete) {
      this.#finish();
      return;
    }
    this.#endWith({ state: "broken", problem: problemOfFailure(failure, this.model) });
    this.tell(failedByConnection(failure, this.model));
  }

  protected override onAnswerBytes(bytes: Buffer): boolean {
    return this.#end === undefined ? this.#deliver(this.translation.push(bytes)) : true;
  }

  protected override onAnswerEnd(): void {
    if (this.#end !== undefined) return;
    this.#deliver(this.translation.end());
    if (this.#end !== undefined) return;
    if (this.translation.complete) {
      this.#finish();
      return;
    }
    const fault = this.described(withoutFinish);
    this.#endWith({ state: "broken", problem: problemOfFault(fault, this.model) });
    this.tell(failedByFault(fault, this.model));
  }

  /** Returns false when the client cannot take more for now. */
  #deliver(frames: string): boolean {
    const keepsUp = frames === "" || this.#write(frames);
    this.#endIfOver();
    if (frames !== "" || this.#end !== undefined) this.tell({ state: "answered", answer: this });
    // What comes behind the end goes to nobody: to wait with it would keep the provider's connection.
    return keepsUp || this.#end !== undefined;
  }

  #endIfOver(): void {
    const { fault, complete, terminated, usage } = this.translation;
    if (fault !== undefined) this.#breakOff(fault);
    else if (terminated && !complete) this.#breakOff(withoutFinish);
    else if (complete && (terminated || usage !== this.#usageBefore)) this.#endWith({ state: "complete" });
    else if (complete) this.#usageTimer ??= setTimeout(() => this.#finishWithoutUsage(), usageWithinMs);
    this.#usageBefore = usage;
  }

  #breakOff(fault: UpstreamFault): void {
    const described = this.described(fault);
    this.#endWith({ state: "broken", problem: problemOfFault(described, this.model) });
    this.#exchange?.abort();
    if (this.#early === "") this.tell(failedByFault(described, this.model));
  }

  /** All of the answer is here: whatever happens to the connection now takes nothing away from it. */
  #finish(): void {
    this.#endWith({ state: "complete" });
    this.tell({ state: "answered", answer: this });
  }

  #finishWithoutUsage(): void {
    if (this.#end !== undefined) return;
    if (this.#isPaused) {
      this.#usageTimer?.refresh();
      return;
    }
    this.#finish();
    this.#exchange?.abort();
  }

  #write(frames: string): boolean {
    if (this.#client === undefined) {
      this.#early += frames;
      return true;
    }
    const keepsUp = this.#client.write(frames, this.translation.encoding);
    this.#isPaused = !keepsUp;
    return keepsUp;
  }

  #endWith(end: StreamEnd): void {
    clearTimeout(this.#usageTimer);
    this.#end ??= end;
    this.#ended.resolve(this.#end);
  }
}
