import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { drawing, isTextType } from "../files/content-type.ts";
import type { FileRecord } from "../files/file-rows.ts";
import type { ByteRange } from "../files/file-store.ts";
import { byteRangeOf } from "./byte-range.ts";
import { contentDisposition } from "./content-disposition.ts";
import type { Door, DoorHeaders, Visit } from "./door.ts";
import type { FileDoorsHouse } from "./shown-file.ts";

const asInAddress = "As in the address.";
const signedQuery = {
  expires: z.int().min(0).describe(asInAddress),
  signature: z.string().describe(asInAddress),
};

/**
 * `GET /v1/files/{id}/content`. The signature of the address is the credential; without one, the key of the account that
 * has the file, as OpenAI's clients send it.
 */
export function fileContentDoor(house: FileDoorsHouse): Door {
  return {
    method: "GET",
    path: "/v1/files/{id}/content",
    access: "open",
    query: signedQuery,
    headers: { Range: z.string() },
    summary: "The content of a file by its signed address, or with the account's key. Takes `Range`.",
    answers: "The bytes.",
    otherAnswers: [
      { mediaType: "*/*", form: z.file() },
      {
        status: 206,
        answers: "The part of the bytes that `Range` asks for.",
        mediaType: "*/*",
        form: z.file(),
      },
      { status: 416, answers: "The file ends before this part; `content-range` says how long it is." },
    ],
    async attend(visit, request, response) {
      const { file, known } = await wantedFile(visit, house);
      const range = rangeIn(visit, file);
      const headers = {
        "x-request-id": visit.requestId,
        ...known,
        ...headersOf(file, secondsLeft(visit, file, house)),
      };
      if (range === "unsatisfiable") {
        response.writeHead(416, {
          ...headers,
          "content-range": `bytes */${file.sizeBytes}`,
          "content-length": 0,
        });
        response.end();
        return;
      }
      const head = { ...headers, ...extentOf(file, range) };
      const status = range === undefined ? 200 : 206;
      if (request.method === "HEAD") {
        response.writeHead(status, head).end();
        return;
      }
      const body = await house.files.open(file, range);
      response.writeHead(status, head);
      response.setTimeout(house.stalledClientMs);
      await send(body, response);
    },
  };
}

/** `known`: what a key's owner is told; who comes by a signed address has none. */
type Wanted = { readonly file: FileRecord; readonly known: DoorHeaders };

async function wantedFile(visit: Visit<unknown>, house: FileDoorsHouse): Promise<Wanted> {
  const { query, headers } = visit;
  const id = visit.parameters["id"] ?? "";
  const [expires, signature] = [query.get("expires"), query.get("signature")];
  if (expires !== null || signature !== null || headers.authorization === undefined)
    return {
      file: await house.files.readSigned({ id, expires: expires ?? "", signature: signature ?? "" }),
      known: {},
    };
  const caller = await house.doorkeeper.callerOf(headers.authorization);
  const file = await house.files.read(id, caller);
  return { file, known: { "x-skillboss-cost": "0.000000", ...(await house.headersFor(caller)) } };
}

/** A part of another version of the file is no use; ours has one version. */
function rangeIn({ headers }: Visit<unknown>, file: FileRecord): ByteRange | "unsatisfiable" | undefined {
  const condition = headers["if-range"];
  if (condition !== undefined && condition !== tagOf(file)) return undefined;
  return byteRangeOf(headers.range, file.sizeBytes);
}

function tagOf(file: FileRecord): string {
  return `"${file.id}"`;
}

/** Nothing in these bytes may act as a page of ours, whatever they are. */
function headersOf(file: FileRecord, maxAgeSeconds: number): Readonly<Record<string, string>> {
  const { contentType } = file;
  const isDrawing = contentType === drawing;
  const isMedia = !isDrawing && /^(?:image|audio|video)\//.test(contentType);
  return {
    "content-type": isTextType(contentType) ? `${contentType}; charset=utf-8` : contentType,
    "content-disposition": contentDisposition(isMedia ? "inline" : "attachment", file.name),
    "content-security-policy": `sandbox; default-src 'none'${isDrawing ? "; style-src 'unsafe-inline'" : ""}`,
    "x-content-type-options": "nosniff",
    "cache-control": `private, max-age=${maxAgeSeconds}`,
    "accept-ranges": "bytes",
    etag: tagOf(file),
  };
}

function secondsLeft({ query }: Visit<unknown>, file: FileRecord, { clock }: FileDoorsHouse): number {
  const until = Math.min(file.expiresAt.getTime() / 1000, Number(query.get("expires") ?? Infinity));
  return Math.max(0, Math.floor(until - clock.now() / 1000));
}

function extentOf(
  { sizeBytes }: FileRecord,
  range: ByteRange | undefined,
): Readonly<Record<string, string | number>> {
  if (range === undefined) return { "content-length": sizeBytes };
  const { start, end } = range;
  return { "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${sizeBytes}` };
}

/** No faster than the client reads. A client that leaves ends the reading; a store that fails cuts the connection. */
async function send(body: Readable, response: ServerResponse): Promise<void> {
  let fault: Error | undefined;
  body.once("error", (error) => {
    if (!response.destroyed) fault = error;
  });
  await pipeline(body, response).catch(() => undefined);
  if (fault !== undefined) throw fault;
}
