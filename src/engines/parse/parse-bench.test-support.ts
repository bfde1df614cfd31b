/** The engine with files that are simply there, for its tests. */
import type { JsonObject } from "../../core/json-object.ts";
import { isJsonObject } from "../../core/json-object.ts";
import type { EngineResult } from "../engine.ts";
import { workerPool } from "../worker-pool.ts";
import type { WorkerPool, WorkerPoolSettings } from "../worker-pool.ts";
import { parseEngine } from "./parse.ts";

export type TestFile = { readonly bytes: Uint8Array; readonly contentType?: string };

export type ParseBench = {
  readonly files: Map<string, TestFile>;
  readonly pool: WorkerPool;
  parse(inputs: JsonObject): Promise<EngineResult>;
  /** The document alone, as its chunks and the pages that are charged. */
  read(file: TestFile, inputs?: JsonObject): Promise<ReadDocument>;
  stop(): Promise<void>;
};

export type ReadDocument = { readonly chunks: readonly string[]; readonly pages: number };

export function parseBench(settings: WorkerPoolSettings = {}): ParseBench {
  const pool = workerPool(settings);
  const engine = parseEngine({ pool });
  const files = new Map<string, TestFile>();
  const parse = (inputs: JsonObject): Promise<EngineResult> =>
    engine.run({
      inputs,
      signal: new AbortController().signal,
      fetchFile: async (url) => {
        const { bytes, contentType = "application/octet-stream" } = files.get(url) ?? {
          bytes: new Uint8Array(),
        };
        return { bytes: Buffer.from(bytes), contentType, url };
      },
    });
  return {
    files,
    pool,
    parse,
    read: async (file, inputs = {}) => {
      const url = "http://files.example/document";
      files.set(url, file);
      const { output, usage } = await parse({ document_url: url, ...inputs });
      return { chunks: chunksIn(output), pages: usage.pages ?? -1 };
    },
    stop: () => pool.stop(),
  };
}

export function chunksIn({ result }: JsonObject): readonly string[] {
  const chunks = isJsonObject(result) ? result["chunks"] : undefined;
  if (!Array.isArray(chunks)) throw new Error("no chunks");
  return chunks.map((chunk: unknown) => (isJsonObject(chunk) ? String(chunk["content"]) : ""));
}
