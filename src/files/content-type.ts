import { isUtf8 } from "node:buffer";
import { extname } from "node:path";
import { signedTypeOf } from "./media-signatures.ts";
import { zipTypeOf } from "./zip-kind.ts";

export type FileLook = {
  /** The file's first bytes. */
  readonly head: Buffer;
  /** Whether they are all there are. */
  readonly isWhole: boolean;
  /** What the sender says it is: believed only in which kind of text a text is. */
  readonly claimedType?: string | undefined;
  readonly name?: string | undefined;
  /** A run made it, and no customer sent it. */
  readonly isResult?: boolean | undefined;
};

export const anyBytes = "application/octet-stream";
export const plainText = "text/plain";

/**
 * A drawing may hold scripts, which an `<img>` does not run. Whoever serves it lets it be nothing else: no page, and
 * nothing that opens in a tab of its own.
 */
export const drawing = "image/svg+xml";

/**
 * Kinds of text that no browser runs. HTML, XML and scripts are not among them and are plain text here, and so is SVG
 * that a customer sent: a file is served from our own origin.
 */
const harmlessTexts: ReadonlySet<string> = new Set([
  plainText,
  "text/markdown",
  "text/csv",
  "text/tab-separated-values",
  "text/vtt",
  "application/json",
  "application/jsonl",
]);

const textTypesByExtension: ReadonlyMap<string, string> = new Map([
  [".md", "text/markdown"],
  [".csv", "text/csv"],
  [".tsv", "text/tab-separated-values"],
  [".vtt", "text/vtt"],
  [".json", "application/json"],
  [".jsonl", "application/jsonl"],
]);

/** The content type that a file is served with, without a charset: texts are UTF-8. */
export function contentTypeOf(look: FileLook): string {
  const { head } = look;
  const type = signedTypeOf(head) ?? zipTypeOf(head);
  if (type !== undefined) return type;
  if (!isText(look)) return anyBytes;
  return isDrawing(look) ? drawing : textTypeOf(look);
}

/** Without a document type, which may hold entities. */
const drawingStart = /^\ufeff?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->)[^]){0,2000}-->\s*)?<svg[\s>/]/;

function isDrawing({ head, claimedType, isResult }: FileLook): boolean {
  if (isResult !== true || baseOf(claimedType) !== drawing) return false;
  return drawingStart.test(head.toString("utf8"));
}

/** Whether a charset belongs to it. */
export function isTextType(contentType: string): boolean {
  return contentType.startsWith("text/");
}

/** Control characters that texts have: tab, line feed, form feed, carriage return, escape. */
const textControls: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

function isText({ head, isWhole }: FileLook): boolean {
  if (head.length === 0) return false;
  if (head.some((byte) => byte === 0x7f || (byte < 0x20 && !textControls.has(byte)))) return false;
  return isUtf8(head) || (!isWhole && isUtf8(withoutCutCharacter(head)));
}

/** The head may end within a character of up to four bytes. */
function withoutCutCharacter(head: Buffer): Buffer {
  for (let at = head.length - 1; at >= Math.max(0, head.length - 3); at -= 1)
    if ((head[at] ?? 0) >= 0xc0) return head.subarray(0, at);
  return head;
}

function textTypeOf(look: FileLook): string {
  const claimed = baseOf(look.claimedType);
  const named = textTypesByExtension.get(extname(look.name ?? "").toLowerCase());
  // A plain claim says less than the name does.
  const hint = [claimed, named].find((type) => type !== plainText && type !== undefined);
  if (hint === undefined || !harmlessTexts.has(hint))
    return isWholeJson(look) ? "application/json" : plainText;
  if (hint !== "application/json") return hint;
  return isWholeJson(look) || (!look.isWhole && beginsLikeJson(look.head)) ? hint : plainText;
}

function baseOf(type: string | undefined): string | undefined {
  const base = type?.split(";")[0]?.trim().toLowerCase();
  return base === "" || base === anyBytes ? undefined : base;
}

function beginsLikeJson(head: Buffer): boolean {
  return /^\s*[[{"]/.test(head.toString("latin1", 0, 64));
}

/** An object or array: a bare number or word is a text as well. */
function isWholeJson({ head, isWhole }: FileLook): boolean {
  if (!isWhole || !beginsLikeJson(head)) return false;
  try {
    return typeof JSON.parse(head.toString("utf8")) === "object";
  } catch {
    return false;
  }
}
