import type { JsonObject } from "../../json.ts";

/** Events in the form of this wire: the type stands in the data too. */
export function frameOf(type: string, members: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
}

export const eventStream = "text/event-stream; charset=utf-8";
