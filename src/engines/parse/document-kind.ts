import { decodeText } from "../scrape/charset.ts";
import type { Archive } from "./archive.ts";

export type OfficeKind = "docx" | "xlsx" | "pptx";
export type TextKind = "html" | "csv" | "text";
export type DocumentKind = "pdf" | OfficeKind | TextKind;

/** What the first bytes say: a container that only its content tells more about, or nothing. */
export type Container = "pdf" | "zip" | "ole" | undefined;

export function containerOf(bytes: Uint8Array): Container {
  // Readers accept a PDF that begins within its first kilobyte.
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString("latin1");
  if (start.startsWith("PK\x03\x04")) return "zip";
  if (start.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) return "ole";
  return start.includes("%PDF-") ? "pdf" : undefined;
}

/** Which Office document an archive is, by the parts it has. */
export function officeKindOf({ names }: Archive): OfficeKind | undefined {
  if (names.some((name) => name.startsWith("word/"))) return "docx";
  if (names.some((name) => name.startsWith("xl/"))) return "xlsx";
  return names.some((name) => name.startsWith("ppt/")) ? "pptx" : undefined;
}

export type TextDocument = { readonly kind: TextKind; readonly text: string };

/** Undefined for what is no text. */
export function textDocumentOf(
  bytes: Uint8Array,
  { contentType, name }: { readonly contentType: string; readonly name: string },
): TextDocument | undefined {
  const text = decodeText(bytes, contentType);
  if (isBinary(text)) return undefined;
  const isHtml =
    /^(?:text\/html|application\/xhtml)/i.test(contentType) ||
    /\.x?html?$/i.test(name) ||
    /^\s*(?:<!--[^]{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b/i.test(text.slice(0, 3000));
  if (isHtml) return { kind: "html", text };
  const isTable =
    /^(?:text\/(?:csv|tab-separated-values)|application\/csv)/i.test(contentType) ||
    /\.(?:csv|tsv)$/i.test(name);
  return { kind: isTable ? "csv" : "text", text };
}

/** A text may hold a stray control sign, but not many of them, and no NUL. */
function isBinary(text: string): boolean {
  const start = text.slice(0, 8192);
  if (start.includes("\0")) return true;
  const strange = start.match(/(?!\s)[\p{Cc}\ufffd]/gu)?.length ?? 0;
  return strange > start.length / 50;
}
