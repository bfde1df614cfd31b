import type { ProblemCode } from "../core/problems.ts";

/** What the pool and its workers say to each other. */
export type WorkerOrder = {
  /** The file whose `work` is called with the input. */
  readonly href: string;
  readonly input: unknown;
};

export type WorkerAnswer =
  | { readonly kind: "done"; readonly output: unknown }
  | {
      readonly kind: "problem";
      readonly code: ProblemCode;
      readonly message: string;
      readonly param: string | null;
      readonly extra: Readonly<Record<string, unknown>>;
      readonly cause: string | undefined;
    }
  | { readonly kind: "failed"; readonly name: string; readonly message: string; readonly stack: string };

/** What a worker's watch is told. */
export type WatchOrder = { readonly maxMemoryMb: number; readonly parentPid: number };
