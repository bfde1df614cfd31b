import { isJsonObject } from "../../core/json-object.ts";
import type { Credits } from "../../core/credits.ts";
import type { RunAnswer, RunStep } from "../../providers/declared/run-wire.ts";
import type { Listener } from "../../providers/gather.ts";

/** What is certain of a sound while the rest of it is still on its way. */
export type SoundBegun = {
  readonly offer: string;
  readonly contentType: string;
  /** What it costs if it comes to its end; nothing otherwise. Undefined where its length will tell. */
  readonly cost: Credits | undefined;
};

/** Says what an answer will be, from its head and first bytes; undefined for anything but a sound that is the result. */
export type Judge = (answer: RunAnswer) => SoundBegun | undefined;

/** Kinds of sound are told apart by so many bytes. */
const headBytes = 64;
/** So much of its end is held back: a sound without it is not whole. */
const heldBytes = 1_024;

type Head = Pick<RunAnswer, "status" | "headers">;

/**
 * The sound that a provider answers a submission with, for a customer who listens while it is made. The run itself goes
 * its usual way, and gathers, stores and charges the whole. Once the sound has begun no other answer can take its place.
 */
export class LiveSound implements AsyncIterable<Buffer> {
  readonly #begun = Promise.withResolvers<SoundBegun | undefined>();
  #pieces: Buffer[] = [];
  #held: Buffer = Buffer.alloc(0);
  #wasBegun = false;
  #isOver = false;
  #news: (() => void) | undefined;

  /** Resolves when there is more of a sound than is held back; with undefined when the run is over without it. */
  get begun(): Promise<SoundBegun | undefined> {
    return this.#begun.promise;
  }

  /** Somebody heard it, if not all of it. */
  get wasBegun(): boolean {
    return this.#wasBegun;
  }

  /** Somebody hears it now. */
  get isHeard(): boolean {
    return this.#wasBegun && !this.#isOver;
  }

  /** Listens to the answer of one more attempt. */
  listener(judge: Judge): Listener {
    let head: Head | undefined;
    this.#held = Buffer.alloc(0);
    return {
      head: (status, headers) => {
        if (status === 200 && isSound(headers["content-type"])) head = { status, headers };
      },
      bytes: (piece) => {
        if (head === undefined || this.#isOver) return;
        const all = Buffer.concat([this.#held, piece]);
        if (
          !this.#wasBegun &&
          all.length > headBytes + heldBytes &&
          !this.#begin(judge({ ...head, bytes: all }))
        )
          head = undefined;
        this.#passOn(all);
      },
    };
  }

  /** Nothing more comes, whatever became of the run. */
  close(): void {
    this.#isOver = true;
    this.#begun.resolve(undefined);
    this.#tell();
  }

  /** The pieces as they come, all but what is held back. To be read once, after `begun`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#news = resolve));
    }
  }

  /** The end of the sound, once the pieces are read. */
  get end(): Buffer {
    return this.#held;
  }

  #begin(begun: SoundBegun | undefined): boolean {
    if (begun === undefined) return false;
    this.#wasBegun = true;
    this.#begun.resolve(begun);
    return true;
  }

  #passOn(all: Buffer): void {
    if (this.#wasBegun && all.length > heldBytes) this.#pieces.push(all.subarray(0, -heldBytes));
    this.#held = this.#wasBegun ? all.subarray(-heldBytes) : all;
    this.#tell();
  }

  #tell(): void {
    this.#news?.();
    this.#news = undefined;
  }
}

function isSound(contentType: unknown): boolean {
  return typeof contentType === "string" && contentType.toLowerCase().startsWith("audio/");
}

/** Whether the answer to a submission ends the run, and is itself the one file of its result. */
export function isItself(step: RunStep, { bytes }: RunAnswer): step is Extract<RunStep, { state: "done" }> {
  if (step.state !== "done" || step.isEmpty) return false;
  const [mark, ...others] = marksIn(step.output);
  return others.length === 0 && isJsonObject(mark) && mark["base64"] === bytes.toString("base64");
}

function marksIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(marksIn);
  if (!isJsonObject(value)) return [];
  return "$file" in value ? [value["$file"]] : Object.values(value).flatMap(marksIn);
}
