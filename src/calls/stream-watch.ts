import type { ChatClient } from "./chat-client.ts";
import type { ChatHouse } from "./chat-house.ts";
import { headOf } from "./ending.ts";
import type { StreamHead } from "./ending.ts";
import type { LiveStream } from "./live-stream.ts";
import { leastPromptTokens, worthSoFar } from "./metering.ts";
import { answerHeaders } from "./open-chat.ts";
import type { OpenChat } from "./open-chat.ts";
import { nothingLeft } from "./upstream-try.ts";

/** How often a stream is looked after: checkpoints of what was delivered, silence, clients that do not read. */
const lookMs = 1_000;

/**
 * Looks after one streamed answer from the hold to its end: begins it, keeps the connection alive through silence, notes
 * what was delivered in case this process dies, and gives up on clients that stopped reading.
 */
export class StreamWatch {
  readonly #open: OpenChat;
  readonly #house: ChatHouse;
  readonly #client: ChatClient;
  readonly #timer: NodeJS.Timeout;
  readonly #everyMs: number;
  #live: LiveStream | undefined;
  #hasBegun = false;
  #stopped: "gone" | "cut" | undefined;
  #lastWriteAt: number;
  #pausedSince: number | undefined;
  #notedLength = 0;
  #promptTokens: number | undefined;
  #told: StreamHead | undefined;

  constructor(open: OpenChat, house: ChatHouse, client: ChatClient) {
    this.#open = open;
    this.#house = house;
    this.#lastWriteAt = house.clock.monotonic();
    this.#client = client;
    this.#everyMs = Math.min(lookMs, house.keepAliveMs / 4);
    this.#timer = setInterval(() => this.#look(), this.#everyMs);
    client.onGone(() => this.stop("gone"));
  }

  /** True once the status line is on its way: from then on failures travel inside the stream. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get stopped(): "gone" | "cut" | undefined {
    return this.#stopped;
  }

  /** What the frames carry, once the first is here. */
  get told(): StreamHead | undefined {
    return this.#told;
  }

  attend(live: LiveStream): LiveStream {
    this.#live = live;
    if (this.#stopped !== undefined) live.abort(this.#stopped);
    return live;
  }

  /** The first frames are here: `200`, headers. */
  begin(headers: ReturnType<typeof answerHeaders>, firstFrames: string): void {
    this.#told = headOf(firstFrames);
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#client.startStream(headers);
  }

  stop(why: "gone" | "cut"): void {
    this.#stopped ??= why;
    this.#live?.abort(why);
  }

  done(): void {
    clearInterval(this.#timer);
  }

  write(frames: string, encoding: "latin1" | "utf8"): boolean {
    this.#lastWriteAt = this.#house.clock.monotonic();
    return this.#client.write(frames, encoding);
  }

  onDrain(listener: () => void): void {
    this.#client.onDrain(() => {
      // However slowly, it reads: only one that took nothing at all for long has stopped.
      this.#pausedSince = undefined;
      listener();
    });
  }

  end(frames: string, encoding: "latin1" | "utf8"): void {
    this.#client.endStream(frames, encoding);
  }

  #look(): void {
    const now = this.#house.clock.monotonic();
    this.#pausedSince = this.#live?.isPaused === true ? (this.#pausedSince ?? now) : undefined;
    if (this.#pausedSince !== undefined && now - this.#pausedSince > this.#house.stalledClientMs) {
      this.#client.drop();
      this.stop("gone");
      return;
    }
    // The next look would come too late.
    const isDue = now + this.#everyMs - this.#lastWriteAt > this.#house.keepAliveMs;
    if (isDue && this.#pausedSince === undefined) this.#keepAlive();
    this.#noteDelivered();
  }

  #keepAlive(): void {
    if (this.#stopped !== undefined) return;
    if (!this.#hasBegun) {
      const [offer] = this.#open.offers;
      this.begin(
        answerHeaders(this.#open, { offer, left: nothingLeft, balance: this.#open.held.available }),
        "",
      );
    }
    this.write(": keep-alive\n\n", "latin1");
  }

  #noteDelivered(): void {
    if (this.#live === undefined || !this.#hasBegun) return;
    const length = this.#live.translation.outputLength;
    if (length === this.#notedLength) return;
    this.#notedLength = length;
    const { ask, call, offers } = this.#open;
    this.#promptTokens ??= leastPromptTokens(call);
    const soFar = { promptTokens: this.#promptTokens, outputLength: length };
    this.#house.ledger.delivered(ask.callId, worthSoFar(offers, soFar, this.#house.creditUsd));
  }
}
