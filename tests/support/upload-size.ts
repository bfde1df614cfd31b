import type { IncomingMessage } from "node:http";
import type { Visit } from "../../src/http/door.ts";
import { multipartUpload, rawUpload, uploadFormOf } from "../../src/http/upload-form.ts";

/** Reads what a request uploads, as the door of files does, and says how large the file is. */
export async function uploadSize(visit: Visit<unknown>, request: IncomingMessage): Promise<number> {
  const form = uploadFormOf(request.headers);
  const { body } =
    form.kind === "raw"
      ? rawUpload(bytesOf(request), { ...visit, claimedType: form.claimedType, digest: visit.digest })
      : await multipartUpload(bytesOf(request), form.boundary, visit.digest);
  let sizeBytes = 0;
  for await (const part of body) sizeBytes += part.length;
  return sizeBytes;
}

async function* bytesOf(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  for await (const part of request) yield Buffer.from(part);
}
