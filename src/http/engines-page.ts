import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Door } from "./door.ts";

/** What the engines of this server do and need: where the models that they serve have their documentation. */
export function enginesPageDoor(): Door {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "engines.md"));
  return {
    method: "GET",
    path: "/docs/engines.md",
    access: "open",
    summary: "What the engines of this server do, take and need.",
    answers: "Markdown, one section for each engine.",
    otherAnswers: [{ mediaType: "text/markdown", form: z.string() }],
    async attend(visit, _request, response) {
      response.writeHead(200, {
        "x-request-id": visit.requestId,
        "content-type": "text/markdown; charset=utf-8",
        "content-length": text.length,
        "x-content-type-options": "nosniff",
      });
      response.end(text);
    },
  };
}
