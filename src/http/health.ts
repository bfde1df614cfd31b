import { z } from "zod";
import { Problem } from "../core/problems.ts";
import type { Door } from "./door.ts";

/** `/health`: the process lives. `/ready`: it takes calls. Neither tells anything else to strangers. */
export function healthDoors(isReady: () => Promise<boolean>): readonly Door[] {
  return [
    {
      method: "GET",
      path: "/health",
      access: "open",
      summary: "Whether the process lives.",
      answers: "`status` is `ok`.",
      answerForm: z.strictObject({ status: z.literal("ok") }),
      answer: () => ({ status: 200, body: { status: "ok" } }),
    },
    {
      method: "GET",
      path: "/ready",
      access: "open",
      summary: "Whether calls are taken: not while starting, shutting down or without the database.",
      answers: "`status` is `ready`, or 503.",
      answerForm: z.strictObject({ status: z.literal("ready") }),
      async answer() {
        if (!(await isReady())) throw new Problem("service_unavailable", { retryAfterSeconds: 2 });
        return { status: 200, body: { status: "ready" } };
      },
    },
  ];
}
