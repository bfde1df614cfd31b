import { InvalidArgumentError, Option } from "commander";
import { modes } from "../core/caller.ts";
import type { LimitsWish } from "../client/answers.ts";
import { parseCredits } from "../core/credits.ts";

/** Readers of what people write behind options and as arguments. They refuse with what they want. */

const mostOfALimit = 1_000_000;

export function wholeNumber(most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Want a whole number from ${least} to ${most}.`);
  };
}

/** A decimal above zero with at most six decimals, as written: amounts never become floats. */
export function creditsAmount(text: string): string {
  const amount = parseCredits(text);
  if (amount !== undefined && amount > 0n) return text;
  throw new InvalidArgumentError(
    'Want credits above 0 such as "25" or "0.50", with at most 6 decimals and without commas.',
  );
}

/** For options that may be given more than once. */
export function collected(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

export function headerText(text: string): string {
  if (/^[\u0021-\u007e]{1,255}$/.test(text)) return text;
  throw new InvalidArgumentError("Want 1 to 255 ASCII characters without spaces.");
}

export function modeOption(): Option {
  return new Option("--mode <mode>", "live credits, or test credits for the sandbox")
    .choices(modes)
    .default("live");
}

/** `plan` goes back to the plan's own limit. */
type LimitValue = number | "plan";

export type LimitOptions = {
  readonly requestsPerMinute?: LimitValue;
  readonly concurrentRequests?: LimitValue;
};

export function limitOptions(): readonly Option[] {
  return [
    new Option(
      "--requests-per-minute <n>",
      'requests in any 60 seconds; "plan" for what the plan says',
    ).argParser(limit),
    new Option("--concurrent-requests <n>", 'calls at once; "plan" for what the plan says').argParser(limit),
  ];
}

/** Undefined when no limit was named. */
export function limitsWish(options: LimitOptions): LimitsWish | undefined {
  const { requestsPerMinute, concurrentRequests } = options;
  if (requestsPerMinute === undefined && concurrentRequests === undefined) return undefined;
  return { requests_per_minute: wishOf(requestsPerMinute), concurrent_requests: wishOf(concurrentRequests) };
}

/** The word stays a word until here: commander takes a reader's null for no value. */
function wishOf(value: LimitValue | undefined): number | null | undefined {
  return value === "plan" ? null : value;
}

function limit(text: string): LimitValue {
  return text === "plan" ? text : wholeNumber(mostOfALimit)(text);
}
