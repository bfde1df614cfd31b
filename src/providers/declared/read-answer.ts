import { isUtf8 } from "node:buffer";
import type { JsonObject } from "../../core/json-object.ts";
import { parseJson } from "../../core/json-object.ts";
import { shapeOf } from "../foreign-text.ts";
import { storable } from "../../core/storable-text.ts";
import type { UpstreamHeaders } from "../wire.ts";
import { isShallow } from "./json-values.ts";
import type { RunAnswer } from "./run-wire.ts";

/** An answer as expressions see it. */
export type ToldAnswer = {
  readonly status: number;
  /** Lower-case names; several values of one header joined by ", ". */
  readonly headers: JsonObject;
  /**
   * JSON when it is JSON, whatever its type says; else text, or `{base64, mime, size}` for other content. Undefined for
   * an empty body, and for one that cannot be read. No text in it holds a NUL or half a character, which databases
   * refuse.
   */
  readonly res: unknown;
  /** What is wrong with the body: it says that it is JSON and is not, or it is too large or too deep. */
  readonly unreadable: string | undefined;
};

/** As many bytes as an exchange accepts. */
const mostBytes = 64 * 1024 * 1024;

export function readAnswer({ status, headers, bytes }: RunAnswer): ToldAnswer {
  const told = toldHeaders(headers);
  const mime = mimeOf(told["content-type"]);
  return { status, headers: told, ...readBody(bytes, mime) };
}

function toldHeaders(headers: UpstreamHeaders): JsonObject {
  const told: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    told.push([name.toLowerCase(), storable(typeof value === "string" ? value : value.join(", "))]);
  }
  return Object.fromEntries(told);
}

function mimeOf(contentType: unknown): string {
  if (typeof contentType !== "string") return "";
  const [mime = ""] = contentType.split(";");
  return mime.trim().toLowerCase();
}

type Body = Pick<ToldAnswer, "res" | "unreadable">;

/** Content that is never text, so that no sound of two digits is taken for a number. */
const media = /^(?:image|audio|video|font)\/|^application\/(?:pdf|zip|gzip)$/;
const json = /^application\/json$|[/+]json$/;
const textual = /^text\/|^application\/(?:xml|javascript|x-ndjson|x-www-form-urlencoded)$|[/+](?:xml|yaml)$/;

function readBody(bytes: Buffer, mime: string): Body {
  if (bytes.length > mostBytes) return unreadable(`${bytes.length} bytes are more than accepted`);
  if (bytes.length === 0) return readable(undefined);
  const isText = json.test(mime) || textual.test(mime);
  if (media.test(mime) || (!isText && !isPlain(bytes))) return readable(asBinary(bytes, mime));
  const text = withoutMark(bytes.toString("utf8"));
  return (json.test(mime) || /^\s*[[{]/.test(text) ? readJson(text, mime) : undefined) ?? readText(text);
}

/** What no type calls a text may still be one, but no text holds a NUL. */
function isPlain(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** Undefined for what does not claim to be JSON and is none. */
function readJson(text: string, mime: string): Body | undefined {
  const parsed = parsedJson(text);
  if (parsed !== undefined) return isShallow(parsed.value) ? readable(parsed.value) : unreadable("too deep");
  return json.test(mime) && text.trim() !== "" ? unreadable(shapeOf(text)) : undefined;
}

function readText(text: string): Body {
  return readable(text.trim() === "" ? undefined : storable(text));
}

function readable(res: unknown): Body {
  return { res, unreadable: undefined };
}

function unreadable(detail: string): Body {
  return { res: undefined, unreadable: detail };
}

function asBinary(bytes: Buffer, mime: string): JsonObject {
  return {
    base64: bytes.toString("base64"),
    mime: mime === "" ? "application/octet-stream" : storable(mime),
    size: bytes.length,
  };
}

function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function parsedJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parseJson(withStorableEscapes(text)) };
  } catch {
    return undefined;
  }
}

/** Whole characters written as two escapes, single escapes of four digits, all other escapes. */
const escapes = /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|u([0-9a-f]{4})|[^])/gi;
const unstorable = /^(?:0000|d[89a-f])/i;

/** The same JSON with U+FFFD for NUL and for halves of characters. */
function withStorableEscapes(text: string): string {
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return text;
  return text.replace(escapes, (escape, code: string | undefined) =>
    code !== undefined && unstorable.test(code) ? "\\ufffd" : escape,
  );
}
