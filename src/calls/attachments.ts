import type { ChatMessage, ContentPart } from "../core/chat.ts";
import { decodeBytes, decodeText, isWebAddress, mediaTypeOf, parseDataUrl } from "../core/data-url.ts";
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
  /** The same for attachments as they usually are. */
  readonly usualTokens: number;
  /** Of files that are text: it costs what other text costs. */
  readonly textBytes: number;
  readonly characters: number;
};

const nothing: Attached = { tokens: 0, usualTokens: 0, textBytes: 0, characters: 0 };

/** A usual picture, or page of a PDF, costs about a third of the most that one may. */
const usualPart = 3;

export function attachments(messages: readonly ChatMessage[], model: ChatModel): Attached {
  let sum = nothing;
  for (const { content } of messages) {
    if (typeof content !== "object" || content === null) continue;
    for (const part of content) sum = added(sum, attachment(part, model));
  }
  return sum;
}

function added(sum: Attached, one: Attached): Attached {
  return {
    tokens: sum.tokens + one.tokens,
    usualTokens: sum.usualTokens + one.usualTokens,
    textBytes: sum.textBytes + one.textBytes,
    characters: sum.characters + one.characters,
  };
}

/** The text of a part, also of a file that is text. */
export function textOfPart(part: ContentPart): string {
  if (part.type === "text") return part.text;
  if (part.type === "refusal") return part.refusal;
  if (part.type === "image_url") return textOfFile(part.image_url.url) ?? "";
  return part.type === "file" ? (textOfFile(part.file.file_data ?? "") ?? "") : "";
}

function attachment(part: ContentPart, model: ChatModel): Attached {
  switch (part.type) {
    case "image_url":
      return imageAttachment(part.image_url.url, model);
    case "input_audio":
      return costing(untold(part.input_audio.data, model), part.input_audio.data);
    case "file":
      return fileAttachment(part.file.file_data ?? "", model);
    case "text":
    case "refusal":
      return nothing;
  }
}

/** Some providers take whatever lies in a data URL for what its type says: a document costs its pages there too. */
function imageAttachment(url: string, model: ChatModel): Attached {
  const type = mediaTypeOf(url);
  if (type !== "" && !type.startsWith("image/")) return fileAttachment(url, model);
  return costing(model.imageTokens, url);
}

function costing(tokens: number, data: string): Attached {
  return { tokens, usualTokens: tokens / usualPart, textBytes: 0, characters: data.length };
}

function fileAttachment(data: string, model: ChatModel): Attached {
  const text = textOfFile(data);
  if (text !== undefined) return { ...nothing, textBytes: Buffer.byteLength(text), characters: data.length };
  const bySize = untold(data, model);
  // Nobody here knows how long it is: https://openrouter.ai/docs/features/multimodal/pdfs
  if (isWebAddress(data)) return { ...costing(bySize, data), tokens: model.contextWindow };
  const pdf = pdfOf(data);
  // The size as well: nothing bounds the text of one page.
  return costing(pdf === undefined ? bySize : Math.max(pagesAtMost(pdf) * model.pdfPageTokens, bySize), data);
}

/** Of what only its size is known. */
function untold(data: string, model: ChatModel): number {
  return model.imageTokens + Math.ceil(data.length / documentCharactersPerToken);
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
