/**
 * What a test may order the sandbox to do. An order is read from three places; the first one found counts:
 *
 * 1. headers: `x-sandbox-fault: cut`, `x-sandbox-pace-ms: 50`, `x-sandbox-delay-ms: 2000`, `x-sandbox-tokens: 300`;
 * 2. the end of the model's name: `gpt-5-mini-fault-cut` (faults only);
 * 3. the text of the last user message: `[sandbox:fault-cut]`, `[sandbox:pace-50]`, `[sandbox:delay-2000]`,
 *    `[sandbox:tokens-300]`, as many of them as wanted.
 *
 * | Order      | What happens                                                                            |
 * |------------|-----------------------------------------------------------------------------------------|
 * | pace-N     | N milliseconds between two deltas of a stream                                           |
 * | delay-N    | the first byte comes after N milliseconds                                               |
 * | tokens-N   | the text is N tokens long, unless the request allows fewer                              |
 * | 400 … 503  | fault-400, -401, -402, -429, -500, -503: that status, in the provider's form            |
 * | 529        | Anthropic's overloaded_error; a 503 on the OpenAI wire, which has no 529                |
 * | slow       | delay-5000, unless a delay is ordered as well                                           |
 * | hang       | no answer at all, until the client leaves                                               |
 * | cut        | the connection is torn down after at most three deltas, or half the body                |
 * | malformed  | a frame, or the body, is not JSON                                                       |
 * | error      | an error event after at most three deltas; a 500 when not streaming                     |
 * | empty      | a 200 that is complete and says nothing                                                 |
 * | nousage    | a 200 that tells no usage anywhere                                                      |
 */
import type { IncomingHttpHeaders } from "node:http";

export type Fault =
  | "400"
  | "401"
  | "402"
  | "429"
  | "500"
  | "503"
  | "529"
  | "slow"
  | "hang"
  | "cut"
  | "malformed"
  | "error"
  | "empty"
  | "nousage";

const faults: ReadonlySet<string> = new Set<Fault>([
  "400",
  "401",
  "402",
  "429",
  "500",
  "503",
  "529",
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

const directive = /\[sandbox:([a-z]+)-([a-z0-9]+)\]/g;

type Asked = { readonly headers: IncomingHttpHeaders; readonly model: string; readonly prompt: string };

export function directivesOf({ headers, model, prompt }: Asked): Directives {
  const written = new Map<string, string>();
  for (const [, name = "", value = ""] of prompt.matchAll(directive)) {
    if (!written.has(name)) written.set(name, value);
  }
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

function isFault(name: string): name is Fault {
  return faults.has(name);
}

function faultNamed(name: string | undefined): Fault | undefined {
  const bare = name?.replace(/^-?fault-/, "");
  return bare !== undefined && isFault(bare) ? bare : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
