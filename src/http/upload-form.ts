import type { Query } from "./door.ts";
import type { IncomingHttpHeaders } from "node:http";
import { isUtf8 } from "node:buffer";
import { Problem } from "../core/problems.ts";
import { sizeText } from "../core/sizes.ts";
import type { ContentDigest } from "./content-digest.ts";
import { readMultipart } from "./multipart.ts";
import type { FormPart } from "./multipart.ts";

/** A file on its way in. Its body has to be read to its end, or returned. */
export type UploadedFile = {
  readonly name: string | undefined;
  readonly claimedType: string | undefined;
  readonly body: AsyncGenerator<Buffer, void, undefined>;
};

/** How an upload is sent: the file alone, or a form around it. */
export type UploadForm =
  | { readonly kind: "raw"; readonly claimedType: string | undefined }
  | { readonly kind: "multipart"; readonly boundary: string };

/** The name of the part that is the file, as OpenAI's clients send it. */
const filePart = "file";
const mostParts = 20;
/** All that a form may hold besides its file, heads included; generous, for it is thrown away. */
export const mostFieldBytes = 64 * 1024;

/** Throws `unsupported_media_type` for a compressed body, another kind of form, or a form without boundary. */
export function uploadFormOf(headers: IncomingHttpHeaders): UploadForm {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    throw unsupported("Send the file without content-encoding.");
  const type = headers["content-type"];
  if (type === undefined) return { kind: "raw", claimedType: undefined };
  const [, family = "", sort = ""] =
    /^([\w.+-]+)\/([\w.+-]+)\s*(?:;|$)/.exec(type.trim().toLowerCase()) ?? [];
  if (family === "multipart" && sort === "form-data")
    return { kind: "multipart", boundary: boundaryIn(type) };
  if (family === "" || family === "multipart" || sort === "x-www-form-urlencoded")
    throw unsupported(
      "Send the file itself with its own content-type, or as the part `file` of multipart/form-data.",
    );
  return { kind: "raw", claimedType: type };
}

/** RFC 2046, 5.1.1: one to seventy of these characters, the last no space. */
function boundaryIn(type: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]*)"|([^\s;"]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain ?? "";
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary))
    throw unsupported("The multipart form names no valid boundary.");
  return boundary;
}

function unsupported(message: string): Problem {
  return new Problem("unsupported_media_type", { message });
}

/** The file alone as the body; its name comes in the query, or percent-encoded or as UTF-8 in `x-file-name`. */
export function rawUpload(
  source: AsyncGenerator<Buffer, void, undefined>,
  { claimedType, query, headers, digest }: RawUpload,
): UploadedFile {
  const header = headers["x-file-name"];
  const name = query.get("name") ?? (typeof header === "string" ? headerText(header) : undefined);
  return { name, claimedType, body: withContent(digest?.part({}, source) ?? source) };
}

export type RawUpload = {
  readonly claimedType: string | undefined;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly digest: ContentDigest | undefined;
};

/** node:http reads each byte of a header as one character. */
function headerText(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  const text = isUtf8(bytes) ? bytes.toString("utf8") : value;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The part `file` of a form. Its body ends only when the whole form was read and found right, so that a form that is
 * wrong behind its file leaves none.
 */
export async function multipartUpload(
  source: AsyncIterable<Buffer>,
  boundary: string,
  digest: ContentDigest | undefined,
): Promise<UploadedFile> {
  const parts = readMultipart(source, boundary);
  const form = new BoundedForm(digest === undefined ? parts : told(parts, digest));
  try {
    const file = await form.nextFile();
    if (file === undefined)
      throw new Problem("invalid_request", { param: filePart, message: "The form has no part `file`." });
    return { name: file.fileName, claimedType: file.contentType, body: withContent(form.fileAndRest(file)) };
  } catch (error) {
    await form.stop();
    throw error;
  }
}

async function* told(
  parts: AsyncIterable<FormPart>,
  digest: ContentDigest,
): AsyncGenerator<FormPart, void, undefined> {
  for await (const { body, ...head } of parts) yield { ...head, body: digest.part(head, body) };
}

class BoundedForm {
  readonly #parts: AsyncGenerator<FormPart, void, undefined>;
  #count = 0;
  #fieldBytes = 0;

  constructor(parts: AsyncGenerator<FormPart, void, undefined>) {
    this.#parts = parts;
  }

  /** Reads over other parts. */
  async nextFile(): Promise<FormPart | undefined> {
    for (let next = await this.#parts.next(); next.done !== true; next = await this.#parts.next()) {
      this.#count += 1;
      if (this.#count > mostParts)
        throw new Problem("invalid_request", { message: `The form has more than ${mostParts} parts.` });
      if (next.value.name === filePart) return next.value;
      await this.#passOver(next.value);
    }
    return undefined;
  }

  async *fileAndRest(file: FormPart): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* file.body;
      if ((await this.nextFile()) !== undefined)
        throw new Problem("invalid_request", { param: filePart, message: "Send one file at a time." });
    } finally {
      await this.stop();
    }
  }

  async stop(): Promise<void> {
    await this.#parts.return();
  }

  async #passOver(field: FormPart): Promise<void> {
    for await (const bytes of field.body) {
      this.#fieldBytes += bytes.length;
      if (this.#fieldBytes > mostFieldBytes)
        throw new Problem("request_too_large", {
          message: `The fields of the form are larger than ${sizeText(mostFieldBytes)}.`,
        });
    }
  }
}

/** An empty upload is a mistake: most often a path that was meant to be read. */
async function* withContent(
  body: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true;
  for await (const bytes of body) {
    isEmpty &&= bytes.length === 0;
    yield bytes;
  }
  if (isEmpty) throw new Problem("invalid_request", { param: filePart, message: "The file is empty." });
}
