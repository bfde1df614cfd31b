import { isJsonObject } from "../../core/json-object.ts";
import type { Credits } from "../../core/credits.ts";
import type { RunAnswer, RunStep } from "../../providers/declared/run-wire.ts";
import type { Listener } from "../../providers/gather.ts";

/** What is certain of a sound while the rest of it is still on its way. */
export type SoundBegun = {
  readonly offer: string;
  readonly contentType: string;
  /** What it costs if it comes to its end; nothing otherwise. */
  readonly cost: Credits;
};

/** Says what an answer will be, from its head and first bytes; undefined for anything but a sound that is the result. */
export type Judge = (answer: RunAnswer) => SoundBegun | undefined;

/** Kinds of sound are told apart by so many bytes. */
const headBytes = 64;

/**
 * The sound that a provider answers a submission with, for a customer who listens while it is made. The run itself goes
 * its usual way, and gathers, stores and charges the whole. Once the sound has begun no other answer can take its place.
 */
export class LiveSound implements AsyncIterable<Buffer> {
  readonly #begun = Promise.withResolvers<SoundBegun | undefined>();
  #pieces: Buffer[] = [];
  #state: "silent" | "begun" | "over" = "silent";
  #news: (() => void) | undefined;

  /** Resolves with the second piece of a sound; with undefined when the run is over without one. */
  get begun(): Promise<SoundBegun | undefined> {
    return this.#begun.promise;
  }

  get hasBegun(): boolean {
    return this.#state === "begun";
  }

  /** Listens to the answer of one more attempt. */
  listener(judge: Judge): Listener {
    let head: Pick<RunAnswer, "status" | "headers"> | undefined;
    this.#pieces = [];
    return {
      head: (status, headers) => {
        if (status === 200 && isSound(headers["content-type"])) head = { status, headers };
      },
      bytes: (piece) => {
        if (head === undefined || this.#state === "over") return;
        this.#pieces.push(piece);
        if (this.#state === "begun") this.#tell();
        else if (this.#pieces.length > 1) head = this.#begin(head, judge) ? head : undefined;
      },
    };
  }

  /** Nothing more comes, whatever became of the run. */
  close(): void {
    this.#state = "over";
    this.#begun.resolve(undefined);
    this.#tell();
  }

  /** The pieces as they come, from the first. To be read once, after `begun`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#state === "over") return;
      else await new Promise<void>((resolve) => (this.#news = resolve));
    }
  }

  /** A provider may send less than tells the kind of sound: then the next piece is waited for. False: it is none. */
  #begin(head: Pick<RunAnswer, "status" | "headers">, judge: Judge): boolean {
    const bytes = Buffer.concat(this.#pieces.slice(0, -1));
    if (bytes.length < headBytes) return true;
    const begun = judge({ ...head, bytes });
    if (begun === undefined) return false;
    this.#state = "begun";
    this.#begun.resolve(begun);
    return true;
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
