import type { ChatRequest, ContentPart } from "../../core/chat.ts";
import { isDataUrl, mediaTypeOf } from "../../core/data-url.ts";
import type { Capabilities } from "../../core/model.ts";
import type { Problem } from "../../core/problems.ts";
import { refusal } from "../request-refusal.ts";

/**
 * The first part whose cost is not among the tokens that are charged. For a model that reads no documents OpenRouter has
 * another service read them, also from behind an address, at two dollars for a thousand pages:
 * https://openrouter.ai/docs/guides/overview/multimodal/pdfs
 */
export function refusedPart({ messages }: ChatRequest, capabilities: Capabilities): Problem | undefined {
  for (const [index, { content }] of messages.entries()) {
    if (typeof content !== "object" || content === null) continue;
    for (const [at, part] of content.entries()) {
      const fault = faultOf(part, capabilities);
      if (fault !== undefined) return refusal(`messages[${index}].content[${at}]`, fault);
    }
  }
  return undefined;
}

function faultOf(part: ContentPart, { audio, pdf }: Capabilities): string | undefined {
  const type = mediaTypeIn(part);
  if (type === undefined || /^(?:image|text)\//.test(type)) return undefined;
  // The sound of a film costs what other sound costs.
  if (/^(?:audio|video)\//.test(type)) return audio ? undefined : "this model does not take sound";
  return pdf ? undefined : "this model does not take files of this type";
}

/** Undefined when there is nothing whose type could matter. */
function mediaTypeIn(part: ContentPart): string | undefined {
  if (part.type === "input_audio") return "audio/*";
  if (part.type === "image_url")
    return isDataUrl(part.image_url.url) ? mediaTypeOf(part.image_url.url) : undefined;
  const data = part.type === "file" ? (part.file.file_data ?? "") : "";
  if (data === "") return undefined;
  // Some clients send the base64 of a file without the head of a data URL; and an address may lead to anything.
  return isDataUrl(data) ? mediaTypeOf(data) : "application/octet-stream";
}
