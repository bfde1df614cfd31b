import type { EngineContext } from "../engine.ts";
import type { InputValues } from "../input-values.ts";

/** One run of the image engine. */
export type PictureJob = {
  readonly context: EngineContext;
  readonly inputs: InputValues;
  /**
   * Runs what keeps a processor busy when it is its turn. Files are fetched outside of it, so that a slow server keeps
   * nobody's turn.
   */
  readonly atWork: <Result>(work: () => Promise<Result>) => Promise<Result>;
};
