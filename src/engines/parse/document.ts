import { Problem } from "../../core/problems.ts";
import type { WorkerCode, WorkerPool } from "../worker-pool.ts";
import type { work } from "./parse-task.ts";
import type { ParsedDocument, ParseOrder } from "./parse-task.ts";

/** Broken and hostile documents may cost this much time, no more. */
const timeoutMs = 60_000;

const parsing: WorkerCode<typeof work> = { url: new URL("./parse-task.ts", import.meta.url) };

export type DocumentVisit = {
  readonly pool: WorkerPool;
  readonly signal: AbortSignal;
  /** The input that named the document. */
  readonly param: string;
};

/** Reads a document in the pool. Throws `invalid_request` that names the input for one that cannot be read. */
export async function readDocument(order: ParseOrder, visit: DocumentVisit): Promise<ParsedDocument> {
  const { pool, signal, param } = visit;
  try {
    return await pool.run(parsing, { input: order, signal, timeoutMs, param });
  } catch (error) {
    throw named(error, param);
  }
}

/** The document as one text. */
export function markdownOf({ sections }: Pick<ParsedDocument, "sections">): string {
  return sections
    .map(({ content }) => content)
    .filter((content) => content !== "")
    .join("\n\n");
}

/** A refusal that names no input yet is about this one. */
export function named(error: unknown, param: string): unknown {
  if (!(error instanceof Problem) || error.param !== null || error.status !== 400) return error;
  const { code, message, extra, cause } = error;
  return new Problem(code, { message, extra, cause, param });
}
