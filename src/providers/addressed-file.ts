import type { ChatRequest } from "../core/chat.ts";
import { isWebAddress } from "../core/data-url.ts";
import type { Problem } from "../core/problems.ts";
import { refusal } from "./request-refusal.ts";

/** A file behind an address, for a provider that fetches none: it goes to one that does, where there is one. */
export function addressedFile({ messages }: ChatRequest): Problem | undefined {
  for (const [index, { content }] of messages.entries()) {
    if (typeof content !== "object" || content === null) continue;
    const at = content.findIndex((part) => part.type === "file" && isWebAddress(part.file.file_data ?? ""));
    if (at >= 0) return refusal(`messages[${index}].content[${at}].file.file_data`, "a file is a data URL");
  }
  return undefined;
}
