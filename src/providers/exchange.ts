import type { Transform } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { announcedBytes, isEventStream } from "./answer-head.ts";
import type { ConnectionPool, Dial, Passenger } from "./connection-pools.ts";
import { createDecoder, encodingOf } from "./content-decoding.ts";
import type { Encoding } from "./content-decoding.ts";
import { StageTimer } from "./stage-timer.ts";
import type { UpstreamTimeouts } from "./stage-timer.ts";
import { codeOf, kindOfError } from "./upstream-failure.ts";
import type { UpstreamFailure, UpstreamStage } from "./upstream-failure.ts";
import type { UpstreamHeaders } from "./wire.ts";

/**
 * Hears one answer: `onHead` once, then bytes, then exactly one of `onEnd` and `onFailure`, and nothing after it.
 * Nothing is called before `send` has returned, nothing after `abort`.
 */
export type Receiver = {
  onHead(status: number, headers: UpstreamHeaders): void;
  /** False: no more, please, until `resume()`. The bytes may be kept. */
  onBytes(bytes: Buffer): boolean;
  onEnd(): void;
  onFailure(failure: UpstreamFailure): void;
};

export type Exchange = {
  /** Closes the connection at once, in any stage. Harmless when all is over. */
  abort(): void;
  /** Goes on after `onBytes` returned false, soon but not within this call. */
  resume(): void;
};

export type ExchangeParts = {
  readonly pool: ConnectionPool;
  readonly options: Dispatcher.DispatchOptions;
  readonly receiver: Receiver;
  readonly timeouts: UpstreamTimeouts;
  /** Decoded bytes of the body that are accepted; undefined goes by the kind of the answer. */
  readonly maxBytes: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
};

const maxBytesWhole = 64 * 1024 * 1024;
const maxBytesStream = 1024 * 1024 * 1024;

/** A shared object instead of one per abort: nobody reads it, it only tells undici to let go. */
const letGo = new Error("the exchange is over");

/**
 * One request and its answer: undici's handler on one side, the receiver on the other. Pieces that come in one read of
 * the socket are handed on as one: a stream is a hundred small ones, and handing on costs the same however small.
 */
export class OpenExchange implements Exchange, Passenger {
  readonly #pool: ConnectionPool;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #receiver: Receiver;
  readonly #log: Log;
  readonly #timer: StageTimer;
  #maxBytes: number | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #dial: Dial | undefined;
  #encoding: Encoding | undefined;
  #decoder: Transform | undefined;
  /** Arrived and not handed on: until the read is over, or the receiver wants more. */
  #held: Buffer[] = [];
  #receivedBytes = 0;
  /** Of the body as announced; Infinity when it was not. */
  #missingBytes = Infinity;
  /** Neither a length nor chunks: only the close of the connection tells the end. */
  #endsByClose = false;
  #paused = false;
  #resuming = false;
  #wholeArrived = false;
  #over = false;

  constructor(parts: ExchangeParts) {
    this.#pool = parts.pool;
    this.#options = parts.options;
    this.#receiver = parts.receiver;
    this.#log = parts.log;
    this.#maxBytes = parts.maxBytes;
    this.#timer = new StageTimer(parts.timeouts, parts.clock, this);
    process.nextTick(begin, this);
  }

  /** Runs outside of any callback of undici's, because its parser must not be entered twice. */
  begin(): void {
    if (this.#over) return;
    if (this.#pool.reserve()) this.#pool.dispatch(this.#options, this);
    else this.#fail("refused", "too many calls wait for this provider");
  }

  abort(): void {
    if (!this.#over) this.#close();
  }

  resume(): void {
    if (this.#over || !this.#paused || this.#resuming) return;
    this.#resuming = true;
    process.nextTick(resumeNow, this);
  }

  resumeNow(): void {
    this.#resuming = false;
    if (this.#over) return;
    this.#paused = false;
    this.#timer.touch();
    this.handOn();
    if (this.#paused || this.#over) return;
    if (this.#decoder?.readableEnded === false) this.#decoder.resume();
    else if (this.#wholeArrived) this.#end();
    else this.#controller?.resume();
  }

  /** The time of a stage ran out. */
  onTimeout(stage: UpstreamStage): void {
    this.#fail("timeout", `no progress in time: ${stage}`, stage);
  }

  /** True while it is us who make the provider wait. */
  get stalled(): boolean {
    return this.#paused || this.#wholeArrived || this.#controller?.paused === true;
  }

  board(dial: Dial): boolean {
    if (this.#over) this.#pool.release();
    else this.#dial = dial;
    return !this.#over;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown here, undici drops the request unwritten and keeps the socket for others.
    if (this.#over) throw letGo;
    this.#controller = controller;
    this.#timer.enter("first_byte");
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (this.#over || status < 200) return;
    const encoding = encodingOf(headers["content-encoding"]);
    if (encoding === "unknown") {
      this.#fail("unreadable", "unknown content-encoding");
      return;
    }
    this.#encoding = encoding;
    this.#missingBytes = announcedBytes(headers);
    this.#endsByClose = this.#missingBytes === Infinity && headers["transfer-encoding"] === undefined;
    this.#maxBytes ??= isEventStream(headers) ? maxBytesStream : maxBytesWhole;
    try {
      this.#receiver.onHead(status, headers);
    } catch (error) {
      this.#receiverThrew(error);
    }
  }

  onResponseData(_: Dispatcher.DispatchController, bytes: Buffer): void {
    // undici hands on empty pieces when it goes on after a pause.
    if (this.#over || bytes.length === 0) return;
    this.#missingBytes -= bytes.length;
    if (this.#held.length === 0) this.#timer.enter("idle");
    if (this.#encoding === undefined) {
      this.#take(bytes);
      return;
    }
    this.#decoder ??= this.#openDecoder(this.#encoding, bytes);
    if (!this.#decoder.write(bytes)) this.#pauseNetwork();
  }

  onResponseEnd(): void {
    this.#pool.release();
    if (this.#over) return;
    // undici takes a reset for the proper close that such a body ends with.
    if (this.#endsByClose && this.#dial?.broke === true) {
      this.#fail("reset", "connection reset");
      return;
    }
    this.#wholeArrived = true;
    if (this.#decoder !== undefined) this.#decoder.end();
    else this.#handOnLast();
  }

  onResponseError(_: unknown, error: Error): void {
    this.#pool.release();
    if (!this.#over) this.#fail(kindOfError(error, this.#controller !== undefined), codeOf(error));
  }

  #openDecoder(encoding: Encoding, first: Buffer): Transform {
    const decoder = createDecoder(encoding, first);
    decoder.on("data", (bytes: Buffer) => this.#take(bytes));
    decoder.on("drain", () => {
      this.#timer.touch();
      if (!this.#over) this.#controller?.resume();
    });
    decoder.on("end", () => this.#handOnLast());
    decoder.on("error", (error) => this.#fail("unreadable", `${encoding}: ${codeOf(error)}`));
    return decoder;
  }

  /** Counts, and keeps until the read is over. undici may push what its socket had buffered while paused. */
  #take(bytes: Buffer): void {
    if (this.#over) return;
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > (this.#maxBytes ?? maxBytesWhole)) {
      this.#fail("too_large", "the answer is larger than accepted");
      return;
    }
    this.#held.push(bytes);
    if (this.#held.length === 1 && !this.#paused) process.nextTick(handOn, this);
  }

  /** What has arrived, as one piece. */
  handOn(): void {
    const [first] = this.#held;
    if (first === undefined || this.#paused || this.#over) return;
    const bytes = this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#deliver(bytes);
  }

  #handOnLast(): void {
    this.handOn();
    if (!this.#paused) this.#end();
  }

  #deliver(bytes: Buffer): void {
    try {
      if (this.#receiver.onBytes(bytes) || this.#over) return;
    } catch (error) {
      this.#receiverThrew(error);
      return;
    }
    this.#paused = true;
    if (this.#decoder !== undefined) this.#decoder.pause();
    else this.#pauseNetwork();
  }

  /**
   * Never after the last byte: undici would take a close that follows it for a reset, and there is nothing more
   * to hold back.
   */
  #pauseNetwork(): void {
    if (this.#missingBytes > 0) this.#controller?.pause();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.stop();
    try {
      this.#receiver.onEnd();
    } catch (error) {
      this.#log.error({ error }, "a receiver failed at the end of an answer");
    }
  }

  #fail(kind: UpstreamFailure["kind"], detail: string, stage: UpstreamStage = this.#timer.stage): void {
    this.handOn();
    if (this.#over) return;
    this.#close();
    try {
      this.#receiver.onFailure({ kind, stage, detail });
    } catch (error) {
      this.#log.error({ error }, "a receiver failed at a failure");
    }
  }

  #receiverThrew(error: unknown): void {
    this.#log.error({ error }, "a receiver failed at a part of an answer");
    this.#fail("aborted", "the receiver failed");
  }

  #close(): void {
    this.#over = true;
    this.#timer.stop();
    this.#held = [];
    this.#decoder?.destroy();
    if (this.#controller !== undefined) {
      this.#controller.abort(letGo);
      return;
    }
    // Not sent yet: what still waits in a queue must not keep the body in memory.
    this.#options.body = null;
    this.#dial?.hangUp();
  }
}

function begin(exchange: OpenExchange): void {
  exchange.begin();
}

function resumeNow(exchange: OpenExchange): void {
  exchange.resumeNow();
}

function handOn(exchange: OpenExchange): void {
  exchange.handOn();
}
