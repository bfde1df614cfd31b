/**
 * What a test may order the sandbox to do. An order is read from three places; the first one found counts:
 *
 * 1. headers: `x-sandbox-fault: cut`, `x-sandbox-pace-ms: 50`, `x-sandbox-delay-ms: 2000`, `x-sandbox-tokens: 300`,
 *    `x-sandbox-job: fail`, `x-sandbox-job-ms: 2000`, `x-sandbox-unknown: 2`, `x-sandbox-poll: 503`,
 *    `x-sandbox-file-ms: 500`;
 * 2. the end of a chat model's name: `gpt-5-mini-fault-cut` (faults only);
 * 3. text: `[sandbox:fault-cut]`, `[sandbox:pace-50]`, `[sandbox:delay-2000]`, `[sandbox:tokens-300]`, as many of them as
 *    wanted. In a chat it is the text of the last user message; in a run any text of the request: path, query or body.
 *
 * | Order       | What happens                                                                           |
 * |-------------|----------------------------------------------------------------------------------------|
 * | pace-N      | N milliseconds between two deltas of a stream                                          |
 * | delay-N     | the first byte comes after N milliseconds                                              |
 * | tokens-N    | the text is N tokens long, unless the request allows fewer (chat)                      |
 * | fault-400 … | any status from 400 to 599, in the provider's form                                     |
 * | fault-529   | Anthropic's overloaded_error; a 503 elsewhere                                          |
 * | …-slow      | delay-5000, unless a delay is ordered as well                                          |
 * | …-hang      | no answer at all, until the client leaves                                              |
 * | …-cut       | the connection is torn down after at most three deltas, or half the body               |
 * | …-malformed | a frame, or the body, is not JSON; a file ends in the middle                           |
 * | …-error     | an error event after at most three deltas; a 500 when not streaming                    |
 * | …-empty     | a 200 that is complete and says nothing                                                |
 * | …-nousage   | a 200 that tells no usage anywhere: neither in the body nor in a header                |
 *
 * Runs that are jobs take these as well, in the request that begins the job; the job's id carries them from there:
 *
 * | Order       | What happens                                                                           |
 * |-------------|----------------------------------------------------------------------------------------|
 * | job-fail    | the work ends in failure, as the provider tells it                                     |
 * | job-refused | it ends in a refusal of the content, or as job-fail where a provider knows none        |
 * | job-never   | it does not end                                                                        |
 * | job-ms-N    | it takes N milliseconds instead of 40                                                  |
 * | unknown-N   | the first N polls do not know the job: 404 in the provider's form                      |
 * | poll-503 …  | the first poll that knows the job is answered with that status                         |
 * | file-ms-N   | the URLs of the result are good for N milliseconds after the end of the work           |
 */
import type { IncomingHttpHeaders } from "node:http";

export type StatusFault = `4${number}` | `5${number}`;

export type Fault = StatusFault | "slow" | "hang" | "cut" | "malformed" | "error" | "empty" | "nousage";

const faults: ReadonlySet<string> = new Set<Fault>([
  "slow",
  "hang",
  "cut",
  "malformed",
  "error",
  "empty",
  "nousage",
]);

export type Directives = {
  readonly fault: Fault | undefined;
  readonly paceMs: number;
  readonly delayMs: number;
  readonly lengthTokens: number | undefined;
};

/** Orders beyond these are taken as these: nothing a caller writes may cost the process much. */
const longestPaceMs = 60_000;
const longestDelayMs = 600_000;
const longestAnswerTokens = 32_768;
const slowDelayMs = 5_000;

const directive = /\[sandbox:([a-z]+(?:-ms)?)-([a-z0-9]+)\]/g;

type Asked = { readonly headers: IncomingHttpHeaders; readonly model: string; readonly prompt: string };

export function directivesOf({ headers, model, prompt }: Asked): Directives {
  const written = writtenIn(prompt);
  const suffix = /-fault-([a-z0-9]+)$/.exec(model)?.[1];
  const fault = faultNamed(headerOf(headers, "fault") ?? suffix ?? written.get("fault"));
  const number = (name: string): number | undefined =>
    wholeNumber(headerOf(headers, name === "tokens" ? name : `${name}-ms`) ?? written.get(name));
  const lengthTokens = number("tokens");
  return {
    fault,
    paceMs: Math.min(number("pace") ?? 0, longestPaceMs),
    delayMs: Math.min(number("delay") ?? (fault === "slow" ? slowDelayMs : 0), longestDelayMs),
    lengthTokens: lengthTokens === undefined ? undefined : Math.min(lengthTokens, longestAnswerTokens),
  };
}

/** What a job is ordered to do; it begins with the request that orders it. */
export type JobOrders = {
  readonly end: "done" | "fail" | "refused" | "never";
  /** Milliseconds; undefined leaves it to the emulator. */
  readonly workMs: number | undefined;
  /** How many polls do not know the job at first. */
  readonly unknownPolls: number;
  /** The status of the first poll after those. */
  readonly pollStatus: number | undefined;
  /** Milliseconds that the URLs of the result are good for; undefined leaves it to the provider's habit. */
  readonly fileMs: number | undefined;
};

const longestWorkMs = 3_600_000;
const mostUnknownPolls = 1_000;

export function jobOrdersOf({ headers, prompt }: Omit<Asked, "model">): JobOrders {
  const written = writtenIn(prompt);
  const value = (name: string): string | undefined => headerOf(headers, name) ?? written.get(name);
  const end = value("job");
  const workMs = wholeNumber(value("job-ms"));
  const pollStatus = faultNamed(value("poll"));
  return {
    end: end === "fail" || end === "refused" || end === "never" ? end : "done",
    workMs: workMs === undefined ? undefined : Math.min(workMs, longestWorkMs),
    unknownPolls: Math.min(wholeNumber(value("unknown")) ?? 0, mostUnknownPolls),
    pollStatus: isStatus(pollStatus) ? Number(pollStatus) : undefined,
    fileMs: wholeNumber(value("file-ms")),
  };
}

function writtenIn(prompt: string): ReadonlyMap<string, string> {
  const written = new Map<string, string>();
  for (const [, name = "", value = ""] of prompt.matchAll(directive)) {
    if (!written.has(name)) written.set(name, value);
  }
  return written;
}

/** The prompt as a model would read it. */
export function withoutDirectives(prompt: string): string {
  return prompt.includes("[sandbox:")
    ? prompt.replaceAll(directive, " ").replaceAll(/ +/g, " ").trim()
    : prompt;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[`x-sandbox-${name}`];
  return typeof value === "string" ? value : undefined;
}

export function isStatus(fault: string | undefined): fault is StatusFault {
  return fault !== undefined && /^[45]\d\d$/.test(fault);
}

function isFault(name: string): name is Fault {
  return isStatus(name) || faults.has(name);
}

function faultNamed(name: string | undefined): Fault | undefined {
  const bare = name?.replace(/^-?fault-/, "");
  return bare !== undefined && isFault(bare) ? bare : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
