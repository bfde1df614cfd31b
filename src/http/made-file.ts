import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { SeenRun } from "../calls/runs/run-store.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { FileRecord } from "../files/file-rows.ts";
import type { Files } from "../files/files.ts";
import type { DoorHeaders } from "./door.ts";

/** The addresses of files within a list of an output, or within a single one. */
export function addressesIn(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    const url = isJsonObject(item) ? item["url"] : item;
    return typeof url === "string" && url.startsWith("http") ? [url] : [];
  });
}

/** What is known of a file that a run made, by the address in its output. Rejects with `not_found` once it is gone. */
export function madeFile(url: string, row: SeenRun, files: Files): Promise<FileRecord> {
  const id = /\/v1\/files\/([^/?]+)\/content/.exec(url)?.[1] ?? "";
  return files.read(id, { accountId: row.account_id, mode: row.mode });
}

/** The whole content, for an answer that has it within. */
export async function madeBytes(url: string, row: SeenRun, files: Files): Promise<Buffer> {
  return files.whole(await madeFile(url, row, files));
}

type Sending = { readonly files: Files; readonly headers: DoorHeaders; readonly stalledClientMs: number };

/**
 * The content as the answer, as it comes from the store and no faster than the client reads. A client that leaves ends
 * the reading; a store that fails cuts the connection.
 */
export async function sendMadeFile(
  file: FileRecord,
  response: ServerResponse,
  { files, headers, stalledClientMs }: Sending,
): Promise<void> {
  const body = await files.open(file);
  let fault: Error | undefined;
  body.once("error", (error) => {
    if (!response.destroyed) fault = error;
  });
  response.writeHead(200, {
    "content-type": file.contentType,
    "content-length": file.sizeBytes,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...headers,
  });
  response.setTimeout(stalledClientMs);
  await pipeline(body, response).catch(() => undefined);
  if (fault !== undefined) throw fault;
}
