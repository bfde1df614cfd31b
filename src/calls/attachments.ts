import type { ChatMessage, ContentPart } from "../core/chat.ts";
import { decodeBytes, decodeText, mediaTypeOf, parseDataUrl } from "../core/data-url.ts";
import type { ChatModel } from "../core/model.ts";
import { pagesAtMost } from "./pdf-pages.ts";

/** Of documents that are neither text nor PDF, of audio and of addresses: far fewer tokens than characters of base64. */
const documentCharactersPerToken = 8;

/** How base64 of a PDF begins: some clients send it without the head of a data URL, or with another type. */
const pdfHead = "JVBERi";

/** What the attachments of a conversation may cost, and how many characters of the body they are. */
export type Attached = {
  /** Of all that is not text. */
  readonly tokens: number;
  /** Of files that are text: it costs what other text costs. */
  readonly textBytes: number;
  readonly characters: number;
};

export function attachments(messages: readonly ChatMessage[], model: ChatModel): Attached {
  let tokens = 0;
  let textBytes = 0;
  let characters = 0;
  for (const { content } of messages) {
    if (typeof content !== "object" || content === null) continue;
    for (const part of content) {
      const one = attachment(part, model);
      tokens += one.tokens;
      textBytes += one.textBytes;
      characters += one.characters;
    }
  }
  return { tokens, textBytes, characters };
}

/** The text of a part, also of a file that is text. */
export function textOfPart(part: ContentPart): string {
  if (part.type === "text") return part.text;
  if (part.type === "refusal") return part.refusal;
  return part.type === "file" ? (textOfFile(part.file.file_data ?? "") ?? "") : "";
}

function attachment(part: ContentPart, model: ChatModel): Attached {
  switch (part.type) {
    case "image_url":
      return { tokens: model.imageTokens, textBytes: 0, characters: part.image_url.url.length };
    case "input_audio":
      return untold(part.input_audio.data, model);
    case "file":
      return fileAttachment(part.file.file_data ?? "", model);
    case "text":
    case "refusal":
      return { tokens: 0, textBytes: 0, characters: 0 };
  }
}

function fileAttachment(data: string, model: ChatModel): Attached {
  const text = textOfFile(data);
  if (text !== undefined) return { tokens: 0, textBytes: Buffer.byteLength(text), characters: data.length };
  const bySize = untold(data, model);
  const pdf = pdfOf(data);
  // The size as well: nothing bounds the text of one page.
  return pdf === undefined
    ? bySize
    : { ...bySize, tokens: Math.max(pagesAtMost(pdf) * model.pdfPageTokens, bySize.tokens) };
}

/** Of what only its size is known. */
function untold(data: string, model: ChatModel): Attached {
  const tokens = model.imageTokens + Math.ceil(data.length / documentCharactersPerToken);
  return { tokens, textBytes: 0, characters: data.length };
}

function textOfFile(data: string): string | undefined {
  if (!mediaTypeOf(data).startsWith("text/")) return undefined;
  const url = parseDataUrl(data);
  return url === undefined ? undefined : decodeText(url);
}

/** A character per byte, so that the bytes can go: of a document with megabytes there is one copy at a time. */
function pdfOf(data: string): string | undefined {
  if (data.startsWith(pdfHead)) return Buffer.from(data, "base64").toString("latin1");
  const isPdf = mediaTypeOf(data) === "application/pdf" || data.slice(0, 200).includes(`,${pdfHead}`);
  return isPdf ? decodeBytes(data)?.toString("latin1") : undefined;
}
