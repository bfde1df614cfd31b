import { isJsonObject } from "../core/json-object.ts";
import type { UpstreamHeaders } from "./wire.ts";

/** `Date.parse` takes much more than HTTP's dates, even "-1". */
const httpDate = /^[A-Z][a-z]{2}, .{20,} GMT$/;
/** No wait is told for longer than a day. */
const mostSeconds = 86_400;

/**
 * How long an upstream asks to be left alone, in whole seconds rounded up: `retry-after-ms`, `retry-after` (seconds, or a
 * date, which is measured against the answer's own `date`), or Gemini's RetryInfo in the error's details.
 */
export function retryAfterSeconds(headers: UpstreamHeaders, details: unknown): number | undefined {
  const milliseconds = first(headers["retry-after-ms"]);
  const wait = first(headers["retry-after"]);
  const told =
    secondsOf(milliseconds, 1_000) ?? secondsOf(wait, 1) ?? secondsUntil(wait, first(headers["date"]));
  const seconds = told ?? retryDelay(details);
  return seconds === undefined ? undefined : Math.min(Math.ceil(seconds), mostSeconds);
}

function first(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}

function secondsOf(number: string | undefined, unitsPerSecond: number): number | undefined {
  const isNumber = number !== undefined && /^\s*\d{1,15}(?:\.\d{1,9})?\s*$/.test(number);
  return isNumber ? Number(number) / unitsPerSecond : undefined;
}

function secondsUntil(date: string | undefined, now: string | undefined): number | undefined {
  if (date === undefined || now === undefined || !httpDate.test(date)) return undefined;
  const seconds = (Date.parse(date) - Date.parse(now)) / 1_000;
  return Number.isFinite(seconds) ? Math.max(seconds, 0) : undefined;
}

/** https://cloud.google.com/apis/design/errors: `{"@type": "…google.rpc.RetryInfo", "retryDelay": "34.4s"}` */
function retryDelay(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined;
  for (const detail of details) {
    if (!isJsonObject(detail) || typeof detail["retryDelay"] !== "string") continue;
    return secondsOf(/^(.*)s$/.exec(detail["retryDelay"])?.[1], 1);
  }
  return undefined;
}
