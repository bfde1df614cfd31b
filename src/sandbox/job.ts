import { isObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import type { JobOrders } from "./directives.ts";

/** What a job is made from. All of it is in the job's id, so that a sandbox that starts anew still knows its jobs. */
export type JobPlan = {
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  readonly workMs: number;
  /** Sixteen hexadecimal digits: the same request has the same result. */
  readonly seed: string;
  /** Tells equal requests in the same millisecond apart. */
  readonly serial: number;
  readonly orders: JobOrders;
  /** What the result needs to know of the request: counts, sizes, lengths, a short text. */
  readonly facts: JsonObject;
};

export type JobState = "waiting" | "working" | "done" | "failed" | "refused" | "cancelled";

export type Job = JobPlan & {
  readonly id: string;
  readonly state: JobState;
  /** From 0 to 1. */
  readonly progress: number;
  readonly endsAt: number;
};

export const usualWorkMs = 40;
/** A job waits in the queue for this part of its time. */
const waitingPart = 0.25;
/** An id is part of addresses: facts that make it longer are a fault of the emulator. */
const longestId = 3_000;

const ends: readonly JobOrders["end"][] = ["done", "fail", "refused", "never"];

export function idOf({ begunAt, workMs, seed, serial, orders, facts }: JobPlan): string {
  const { end, unknownPolls, pollStatus = 0, fileMs = -1 } = orders;
  const plan = [begunAt, workMs, seed, serial, [ends.indexOf(end), unknownPolls, pollStatus, fileMs], facts];
  const id = Buffer.from(JSON.stringify(plan)).toString("base64url");
  if (id.length > longestId) throw new Error(`the facts of a job are too long: ${id.length} characters`);
  return id;
}

/** Undefined for what is no id. Anybody can write one, so nothing in it is trusted to be sensible. */
export function planIn(id: string): JobPlan | undefined {
  if (id.length > longestId) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(id, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(read) || !isObject(read[5]) || !Array.isArray(read[4])) return undefined;
  const [end, unknownPolls, pollStatus, fileMs] = read[4].map(whole);
  return {
    begunAt: whole(read[0]),
    workMs: whole(read[1]),
    seed: String(read[2]),
    serial: whole(read[3]),
    orders: {
      end: ends[end ?? 0] ?? "done",
      workMs: whole(read[1]),
      unknownPolls: unknownPolls ?? 0,
      pollStatus: pollStatus === 0 ? undefined : pollStatus,
      fileMs: fileMs === undefined || fileMs < 0 ? undefined : fileMs,
    },
    facts: read[5],
  };
}

/** How the job stands at a time. */
export function jobAt(plan: JobPlan, id: string, now: number): Job {
  const passed = plan.workMs === 0 ? 1 : (now - plan.begunAt) / plan.workMs;
  const isEndless = plan.orders.end === "never";
  const progress = Math.max(0, Math.min(isEndless ? 0.9 : 1, passed));
  return { ...plan, id, state: stateOf(plan, progress), progress, endsAt: plan.begunAt + plan.workMs };
}

function stateOf({ orders }: JobPlan, progress: number): JobState {
  if (progress < waitingPart) return "waiting";
  if (progress < 1) return "working";
  if (orders.end === "refused") return "refused";
  return orders.end === "fail" ? "failed" : "done";
}

/** Whether nothing about the job changes any more. */
export function isOver({ state }: Job): boolean {
  return state !== "waiting" && state !== "working";
}

function whole(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.floor(value) : 0;
}
