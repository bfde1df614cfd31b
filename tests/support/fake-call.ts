import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Transform } from "node:stream";
import { fakeWires } from "./fake-wires.ts";
import type { FakeWire, WireName } from "./fake-wires.ts";

/** What the fake upstream saw and did for one call. Times are `performance.now()`, but `at` is the wall clock. */
export type CallRecord = {
  readonly at: number;
  readonly startedAt: number;
  readonly connectionId: number;
  readonly path: string;
  readonly wire: WireName;
  readonly model: string;
  readonly stream: boolean;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The exact body. */
  readonly bytes: Buffer;
  /** The body read as JSON; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
  tokens: number;
  readonly tokenTimes: number[];
  /** Body bytes handed to the socket so far. */
  sentBytes: number;
  /** How often a write had to wait for the client, and whether one waits now. */
  stalls: number;
  stalled: boolean;
  closedByClientAt: number | undefined;
  /** The behaviour did all it wanted and the answer was handed to the system. */
  finished: boolean;
};

/** One call as a behaviour handles it. */
export class FakeCall {
  readonly record: CallRecord;
  readonly wire: FakeWire;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Set by us before we cut the connection, so that it is not taken for the client's doing. */
  cutByUs = false;
  #gone = false;
  #compressor: Transform | undefined;
  #wakeUp: (() => void) | undefined;

  constructor(record: CallRecord, request: IncomingMessage, response: ServerResponse) {
    this.record = record;
    this.wire = fakeWires[record.wire];
    this.response = response;
    this.socket = request.socket;
    response.on("error", () => undefined);
    response.on("close", () => {
      if (!record.finished && !this.cutByUs) record.closedByClientAt = performance.now();
      this.#gone = true;
      this.#wakeUp?.();
    });
    response.on("finish", () => {
      record.finished = true;
    });
  }

  /** The connection is closed, by whomever. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Waits, but not longer than the connection lives. */
  async pause(delayMs: number): Promise<void> {
    if (this.#gone || delayMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  /** Keeps silent until the connection closes. */
  async keepSilent(): Promise<void> {
    if (this.#gone) return;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  /** From here on what is written is compressed, and flushed with every write. */
  compressWith(compressor: Transform): void {
    this.#compressor = compressor;
    compressor.on("data", (bytes: Buffer) => {
      if (!this.#gone) this.response.write(bytes);
    });
  }

  get compressor(): Transform | undefined {
    return this.#compressor;
  }

  startStream(headers: Readonly<Record<string, string>> = {}): void {
    if (this.#gone || this.response.headersSent) return;
    this.response.writeHead(200, { "content-type": "text/event-stream", ...headers });
    this.response.flushHeaders();
  }

  /** Writes and waits while the client does not read. */
  async write(bytes: string | Buffer): Promise<void> {
    if (this.#gone || bytes.length === 0) return;
    this.record.sentBytes += Buffer.byteLength(bytes);
    if (this.#compressor !== undefined) {
      await flushed(this.#compressor, bytes);
      return;
    }
    if (this.response.write(bytes)) return;
    this.record.stalls += 1;
    this.record.stalled = true;
    await new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
      this.response.once("drain", resolve);
    });
    this.#wakeUp = undefined;
    this.record.stalled = false;
  }

  /** Notes and writes one token. */
  async writeToken(frame: string): Promise<void> {
    if (this.#gone) return;
    this.record.tokens += 1;
    this.record.tokenTimes.push(performance.now());
    await this.write(frame);
  }

  async end(): Promise<void> {
    if (this.#gone) return;
    if (this.#compressor !== undefined) {
      this.#compressor.end();
      await once(this.#compressor, "end");
    }
    this.response.end();
  }

  answerJson(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const body = Buffer.from(JSON.stringify(value));
    this.answerBytes(status, body, { "content-type": "application/json", ...headers });
  }

  answerBytes(status: number, body: Buffer, headers: Readonly<Record<string, string>>): void {
    if (this.#gone) return;
    this.record.sentBytes += body.length;
    this.response.writeHead(status, { "content-length": String(body.length), ...headers });
    this.response.end(body);
  }

  /** RST, not FIN. What was written before is given the time to leave first. */
  async reset(): Promise<void> {
    this.cutByUs = true;
    await this.pause(5);
    this.socket.resetAndDestroy();
  }

  /** Closes in the middle: FIN without an end of the body. */
  cut(): void {
    this.cutByUs = true;
    this.socket.end();
  }
}

function flushed(compressor: Transform, bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    compressor.write(bytes, () => {
      if ("flush" in compressor && typeof compressor.flush === "function") compressor.flush(resolve);
      else resolve();
    });
  });
}
