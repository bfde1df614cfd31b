import type { IncomingMessage, ServerResponse } from "node:http";
import { isUtf8 } from "node:buffer";
import { GatheredBytes } from "../core/gathered-bytes.ts";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import { contentTypeOf } from "../files/content-type.ts";
import { arrivingBytes } from "./arriving-bytes.ts";
import type { BodyPace } from "./arriving-bytes.ts";
import type { ContentDigest } from "./content-digest.ts";
import { malformed, readMultipart } from "./multipart.ts";
import type { FormPart } from "./multipart.ts";
import { uploadFormOf } from "./upload-form.ts";

export type FormFile = {
  /** As the sender calls it; undefined when they do not. */
  readonly name: string | undefined;
  /** By its bytes. */
  readonly contentType: string;
  readonly bytes: Buffer;
};

/** A whole form; names without `[]` at their end, values in the order sent. */
export type FormBody = {
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly files: ReadonlyMap<string, readonly FormFile[]>;
};

export type FormLimits = BodyPace & { readonly maxBytes: number };

/** `digest` is told the parts as they were sent. */
type FormReading = FormLimits & { readonly digest?: ContentDigest | undefined };

const mostParts = 100;
const headBytes = 4_096;

/**
 * Reads a `multipart/form-data` body into memory. Rejects with `unsupported_media_type` for another one, with
 * `request_too_large` as soon as the limit is passed, with `request_timeout` for a client that is too slow, and with
 * `invalid_request` for a form that is none.
 */
export async function readForm(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, digest, ...pace }: FormReading,
): Promise<FormBody> {
  const form = uploadFormOf(request.headers);
  if (form.kind !== "multipart")
    throw new Problem("unsupported_media_type", { message: "Send the body as multipart/form-data." });
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  const texts = new Map<string, string[]>();
  const files = new Map<string, FormFile[]>();
  let count = 0;
  const body = bounded(arrivingBytes(request, pace), maxBytes);
  for await (const part of readMultipart(body, form.boundary)) {
    count += 1;
    if (count > mostParts) throw malformed(`It has more than ${mostParts} parts.`);
    const name = part.name.replace(/\[\]$/, "");
    const bytes = await wholeOf(part, digest);
    if (part.fileName === undefined) added(texts, name).push(textOf(bytes, name));
    else added(files, name).push(fileOf(part, bytes));
  }
  return { texts, files };
}

function added<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

async function wholeOf({ body, ...head }: FormPart, digest: ContentDigest | undefined): Promise<Buffer> {
  const gathered = new GatheredBytes();
  for await (const bytes of digest?.part(head, body) ?? body) gathered.add(bytes);
  return gathered.whole();
}

function textOf(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new Problem("invalid_request", { param: name, message: `${name}: want text in UTF-8.` });
}

function fileOf({ fileName, contentType }: FormPart, bytes: Buffer): FormFile {
  const name = fileName === "" ? undefined : fileName;
  const head = bytes.subarray(0, headBytes);
  const type = contentTypeOf({ head, isWhole: head.length === bytes.length, claimedType: contentType, name });
  return { name, contentType: type, bytes };
}

async function* bounded(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  let sizeBytes = 0;
  for await (const bytes of body) {
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
    yield bytes;
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("request_too_large", {
    message: `The request body is larger than ${sizeText(maxBytes)}.`,
  });
}

/** The fields with single values, as members of a body; `lists` names those that are always lists. */
export function membersOf(
  { texts }: FormBody,
  lists: readonly string[],
): Readonly<Record<string, string | readonly string[]>> {
  const members = [...texts].map(([name, values]) => {
    if (lists.includes(name)) return [name, values] as const;
    if (values.length === 1) return [name, values[0] ?? ""] as const;
    throw new Problem("invalid_request", { param: name, message: `${name}: want one value.` });
  });
  return Object.fromEntries(members);
}
