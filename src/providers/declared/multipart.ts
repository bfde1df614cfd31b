import { createHash } from "node:crypto";
import type { JsonObject } from "../../core/json-object.ts";
import { hasValue, jsonText, textOf } from "./json-values.ts";
import { Upload } from "./marks.ts";
import type { UploadedFile } from "./marks.ts";
import { dataUrlOf } from "./operators-of-encoding.ts";

export type Multipart = { readonly contentType: string; readonly bytes: Buffer };

type Part = { readonly head: string; readonly bytes: Buffer };

/** Names that servers go by, because some of them tell the kind of a file by its ending. */
const endings: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/pdf": "pdf",
  "audio/aac": "aac",
  "audio/flac": "flac",
  "audio/m4a": "m4a",
  "audio/mp3": "mp3",
  "audio/mp4": "m4a",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/webm": "webm",
  "audio/x-m4a": "m4a",
  "audio/x-wav": "wav",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "text/plain": "txt",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

/**
 * The members as parts of `multipart/form-data` (RFC 7578): uploads and base64 data URLs as files, lists as one part per item,
 * other objects as JSON text. The boundary follows from the content, so that equal members are equal bytes. Undefined
 * when a member cannot be written.
 */
export function multipartOf(members: JsonObject): Multipart | undefined {
  const parts: Part[] = [];
  for (const [name, value] of Object.entries(members)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (!hasValue(item)) continue;
      const part = partOf(name, item);
      if (part === undefined) return undefined;
      parts.push(part);
    }
  }
  const boundary = boundaryOf(parts);
  const bytes = Buffer.concat([
    ...parts.flatMap((part) => [
      Buffer.from(`--${boundary}\r\n${part.head}\r\n\r\n`),
      part.bytes,
      Buffer.from("\r\n"),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes };
}

/** A field's text becomes a file only when it is nothing but one. */
const isFile = /^data:[^,]{1,200};base64,/i;

function partOf(name: string, value: unknown): Part | undefined {
  if (value instanceof Upload) return filePart(name, value.file);
  const inline = isFile.test(textOf(value) ?? "") ? dataUrlOf(value) : undefined;
  if (inline !== undefined) {
    const bytes = Buffer.from(inline.base64, "base64");
    return filePart(name, { bytes, mime: inline.mediaType, filename: undefined });
  }
  const text = textOf(value) ?? jsonText(value);
  return text === undefined
    ? undefined
    : { head: `Content-Disposition: form-data; name="${quoted(name)}"`, bytes: Buffer.from(text) };
}

const mediaType = /^[\w.+-]+\/[\w.+-]+$/;

/** What a header may say of the content; bytes of any kind where that is no media type. */
export function mediaTypeOf(mime: string | undefined): string {
  return mime !== undefined && mediaType.test(mime) ? mime.toLowerCase() : "application/octet-stream";
}

function filePart(name: string, { bytes, mime, filename }: UploadedFile): Part {
  const type = mediaTypeOf(mime);
  const ending = Object.hasOwn(endings, type) ? endings[type] : "bin";
  const shownName = quoted(filename ?? `${name}.${ending}`);
  return {
    head:
      `Content-Disposition: form-data; name="${quoted(name)}"; filename="${shownName}"\r\n` +
      `Content-Type: ${type}`,
    bytes,
  };
}

/** As browsers write names: https://html.spec.whatwg.org/#multipart-form-data */
function quoted(name: string): string {
  return name.toWellFormed().replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function boundaryOf(parts: readonly Part[]): string {
  const hash = createHash("sha256");
  for (const { head, bytes } of parts) hash.update(`${head.length} ${bytes.length} ${head}`).update(bytes);
  return `skillboss-${hash.digest("hex").slice(0, 32)}`;
}
