import type { ChatMessage, ContentPart } from "../../core/chat.ts";
import { cacheMark, refused } from "./conversion.ts";
import type { Block, Conversion } from "./conversion.ts";
import { decodeText, isDataUrl, parseDataUrl } from "../../core/data-url.ts";

type Content = ChatMessage["content"];
type FilePart = Extract<ContentPart, { type: "file" }>;
type ImagePart = Extract<ContentPart, { type: "image_url" }>;

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** Text blocks that are empty or only white space are refused upstream, so they are left out here. */
export function textBlock(text: string): readonly Block[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

/** What a user or a tool may send: text, images, documents. `path` is where the content stands in the request. */
export function userBlocks(content: Content, path: string, conversion: Conversion): Block[] {
  return blocksOf(content, path, (part, place) => userPart(part, place, conversion));
}

/** What system, developer and assistant messages hold: text and refusals. */
export function textBlocks(content: Content, path: string, conversion: Conversion): Block[] {
  return blocksOf(content, path, (part, place) => {
    const text = plainText(part);
    if (text === undefined) throw refused(`${place}.type`, "This message takes text parts only.");
    return marked(textBlock(text), part, conversion);
  });
}

function blocksOf(
  content: Content,
  path: string,
  translate: (part: ContentPart, place: string) => readonly Block[],
): Block[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [...textBlock(content)];
  return content.flatMap((part, index) => translate(part, `${path}[${index}]`));
}

function plainText(part: ContentPart): string | undefined {
  if (part.type === "text") return part.text;
  return part.type === "refusal" ? part.refusal : undefined;
}

function marked(blocks: readonly Block[], part: ContentPart, conversion: Conversion): readonly Block[] {
  const mark = cacheMark(part, conversion.dropped);
  return blocks.map((block) => ({ ...block, ...mark }));
}

function userPart(part: ContentPart, place: string, conversion: Conversion): readonly Block[] {
  switch (part.type) {
    case "text":
    case "refusal":
      return marked(textBlock(plainText(part) ?? ""), part, conversion);
    case "image_url":
      return marked([imageBlock(part, place, conversion)], part, conversion);
    case "file":
      return marked([documentBlock(part, place, conversion)], part, conversion);
    case "input_audio":
      throw refused(place, "This model does not take audio.");
    default:
      throw refused(`${place}.type`, "This model does not take parts of this type.");
  }
}

function imageBlock(part: ImagePart, place: string, { target }: Conversion): Block {
  const param = `${place}.image_url.url`;
  if (!target.capabilities.vision) throw refused(place, "This model does not take images.");
  const { url } = part.image_url;
  if (!isDataUrl(url)) {
    if (!/^https?:\/\//i.test(url)) throw refused(param, "An image is a data URL or an http(s) URL.");
    return { type: "image", source: { type: "url", url } };
  }
  const data = parseDataUrl(url);
  if (data === undefined) throw refused(param, "This data URL cannot be read.");
  const mediaType = data.mediaType === "image/jpg" ? "image/jpeg" : data.mediaType;
  if (!imageTypes.has(mediaType)) {
    throw refused(param, "This model takes images of type image/jpeg, image/png, image/gif and image/webp.");
  }
  return { type: "image", source: { type: "base64", media_type: mediaType, data: data.base64 } };
}

function documentBlock(part: FilePart, place: string, { target }: Conversion): Block {
  const { file_data: url, file_id: fileId, filename } = part.file;
  if (url === undefined) {
    const param = `${place}.file.${fileId === undefined ? "file_data" : "file_id"}`;
    throw refused(param, "This model takes files as a data URL in `file_data`.");
  }
  const param = `${place}.file.file_data`;
  const data = parseDataUrl(url);
  if (data === undefined) throw refused(param, "A file is a data URL.");
  const title = filename === undefined || filename === "" ? {} : { title: filename };
  if (data.mediaType.startsWith("text/")) {
    const source = { type: "text", media_type: "text/plain", data: decodeText(data) };
    return { type: "document", source, ...title };
  }
  if (data.mediaType !== "application/pdf" || !target.capabilities.pdf) {
    throw refused(param, "This model does not take files of this type.");
  }
  const source = { type: "base64", media_type: data.mediaType, data: data.base64 };
  return { type: "document", source, ...title };
}
