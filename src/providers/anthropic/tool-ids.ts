import { createHash } from "node:crypto";

/** Anthropic's form of a tool id; https://platform.claude.com/docs/en/api/messages */
const acceptedForm = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * Ids of tool calls in the form Anthropic takes. Its own ids stay as they are, so what it gave out comes back
 * unchanged; foreign ones (`functions.read:0`, ids of kilobytes with a signature inside) become a hash: the same id
 * always the same, so that prompt caches hold.
 */
export function wireToolId(id: string): string {
  if (acceptedForm.test(id)) return id;
  return `call_${createHash("sha256").update(id).digest("hex").slice(0, 40)}`;
}

/** Hands out each id of one request once: some providers count their ids anew in every turn. */
export class ToolIds {
  readonly #used = new Set<string>();

  take(id: string): string {
    const first = wireToolId(id);
    let free = first;
    for (let attempt = 2; this.#used.has(free); attempt += 1) free = wireToolId(`${first}_${attempt}`);
    this.#used.add(free);
    return free;
  }
}
