import { detectMimeType } from "nodemailer/lib/mime-funcs";
import type { EngineContext } from "../engine.ts";
import { decodeBase64, inputFile, tooLarge } from "../input-file.ts";
import type { InputValues } from "../input-values.ts";
import { hasControl } from "./mail-address.ts";

export type Attachment = {
  readonly filename: string;
  readonly content: Buffer;
  readonly contentType: string;
};

/** Of all attachments together, as files. */
export const maxAttachmentBytes = 10_000_000;
const maxAttachments = 20;
const anyBytes = "application/octet-stream";

/** `content` as base64, or a file by its `url`; one after the other, so that what is too much together is never there. */
export async function readAttachments(
  context: EngineContext,
  inputs: InputValues,
): Promise<readonly Attachment[]> {
  const wanted = inputs.objects("attachments", maxAttachments);
  for (const attachment of wanted) checkAttachment(attachment);
  const read: Attachment[] = [];
  let left = maxAttachmentBytes;
  for (const attachment of wanted) {
    const { content, contentType } = await contentOf(context, attachment, left);
    left -= content.length;
    const filename = attachment.text("filename", 200) ?? nameInUrl(attachment);
    read.push({ filename, content, contentType: contentTypeOf(attachment, contentType, filename) });
  }
  return read;
}

/** All that can be known before a file is fetched. */
function checkAttachment(attachment: InputValues): void {
  const filename = attachment.text("filename", 200);
  if (filename !== undefined && (hasControl(filename) || /[/\\]/.test(filename) || filename.trim() === ""))
    throw attachment.refusal("filename", "filename is a name without folders and control characters.");
  if (filename === undefined && !attachment.has("url"))
    throw attachment.refusal("filename", "Send a filename.");
  if (attachment.has("content") === attachment.has("url"))
    throw attachment.refusal("content", "An attachment has either content (base64) or a url.");
  const type = attachment.text("content_type", 150);
  if (type !== undefined && !isPlainType(type))
    throw attachment.refusal("content_type", "content_type is one such as application/pdf.");
}

async function contentOf(
  context: EngineContext,
  attachment: InputValues,
  maxBytes: number,
): Promise<{ readonly content: Buffer; readonly contentType: string }> {
  const file = await inputFile(context, { inputs: attachment, name: "url", maxBytes });
  if (file !== undefined) return { content: file.bytes, contentType: file.contentType };
  const text = attachment.text("content", Math.ceil(maxAttachmentBytes * 1.5)) ?? "";
  const content = decodeBase64(text, maxBytes);
  if (content === undefined) throw attachment.refusal("content", "content is base64.");
  if (content === "too_large")
    throw attachment.refusal("content", tooLarge("All attachments together", maxAttachmentBytes));
  return { content, contentType: "" };
}

function nameInUrl(attachment: InputValues): string {
  const path = URL.parse(String(attachment.value("url")))?.pathname ?? "";
  const last = path.slice(path.lastIndexOf("/") + 1);
  return /^[\w.-]{1,100}$/.test(last) ? last : "attachment";
}

/** As told, as the server that has the file says, or by the name's ending. */
function contentTypeOf(attachment: InputValues, fetched: string, filename: string): string {
  const [served = ""] = fetched.split(";", 1);
  const ending = /\.(\w{1,10})$/.exec(filename)?.[1];
  const candidates = [
    attachment.text("content_type", 150),
    served.trim() === anyBytes ? undefined : served.trim(),
    ending === undefined ? undefined : detectMimeType(ending),
  ];
  return candidates.find((type) => type !== undefined && isPlainType(type)) ?? anyBytes;
}

/** Not those that are a message or a part of several themselves: their bytes would be read as part of ours. */
function isPlainType(type: string): boolean {
  return /^(?!message\/|multipart\/)[\w.+-]{1,60}\/[\w.+-]{1,80}$/i.test(type);
}
