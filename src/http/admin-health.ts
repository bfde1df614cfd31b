import { z } from "zod";
import type { OpenCalls } from "../calls/open-calls.ts";
import type { Door } from "./door.ts";

/** How late the event loop was, in milliseconds, over the last 10 to 20 seconds. */
export type LoopLag = Readonly<Record<"p50" | "p99" | "p999" | "max", number>>;

export type AdminHealthHouse = { readonly openCalls: OpenCalls; readonly lag: () => LoopLag };

const milliseconds = z.number().min(0);

const health = z.strictObject({
  status: z.literal("ok"),
  open_calls: z.int().min(0),
  event_loop_lag_ms: z
    .strictObject({ p50: milliseconds, p99: milliseconds, p99_9: milliseconds, max: milliseconds })
    .describe("How late this process is for what is due, over the last 10 to 20 seconds."),
  resident_bytes: z.int().min(0),
});

/** `GET /admin/v1/health`: how busy this process is. For the operator alone: it tells when it is weak. */
export function adminHealthDoor({ openCalls, lag }: AdminHealthHouse): Door {
  return {
    method: "GET",
    path: "/admin/v1/health",
    access: "operator",
    summary: "How busy this process is.",
    answers: "Calls that run, the lag of the event loop, and memory. Each node tells its own.",
    answerForm: health,
    answer() {
      const { p50, p99, p999, max } = lag();
      const body: z.output<typeof health> = {
        status: "ok",
        open_calls: openCalls.count,
        event_loop_lag_ms: { p50, p99, p99_9: p999, max },
        resident_bytes: process.memoryUsage.rss(),
      };
      return { status: 200, body };
    },
  };
}
