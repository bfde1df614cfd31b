import type { JsonObject } from "../core/json-object.ts";
import type { Usage } from "../core/usage.ts";

/** As offers and the operator name them. */
export const engineNames = ["scrape", "parse", "search", "image", "email", "speech", "transcribe"] as const;

/** Code of ours that really does a run on this machine, with no provider. */
export type Engine = {
  /** As offers name it: `scrape`. */
  readonly name: string;
  /** One sentence that says what to install or set; undefined when it can work. Asked at the start, and cheap. */
  missing(): string | undefined;
  /** The inputs that it takes and can do nothing with, by name. They are told to the customer. */
  leavesOut?(inputs: JsonObject): readonly string[];
  /** Throws a `Problem` for inputs that it refuses (400) and for what it could not do. */
  run(context: EngineContext): Promise<EngineResult>;
  stop?(): Promise<void>;
};

export type EngineContext = {
  /** Checked against the model's input schema by the caller. */
  readonly inputs: JsonObject;
  /** Aborted when time is up, or when the run was canceled. */
  readonly signal: AbortSignal;
  /** Reads a file that an input names: an uploaded file's address, or any address through the guarded way out. */
  readonly fetchFile: (
    url: string,
    maxBytes: number,
  ) => Promise<{ readonly bytes: Buffer; readonly contentType: string; readonly url: string }>;
};

export type EngineFile = {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly name?: string;
};

export type EngineResult = {
  /** The public result; where it shows a file it has `{ "$file": index }` into `files`. */
  readonly output: JsonObject;
  readonly files: readonly EngineFile[];
  readonly usage: Usage;
  /** Nothing was found or made: costs nothing. */
  readonly isEmpty?: boolean;
};
