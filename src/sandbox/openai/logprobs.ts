import type { Answer } from "../answers/answer.ts";
import { between, fingerprintOf, randomFrom } from "../answers/random.ts";
import type { Random } from "../answers/random.ts";
import type { Piece } from "../answers/tokens.ts";
import type { JsonObject } from "../json.ts";

/** How likely tokens are to be told; `alternatives` counts the token itself. */
export type LogprobsWish = { readonly seed: string; readonly alternatives: number };

export function logprobsWish(request: JsonObject, seed: string): LogprobsWish | undefined {
  if (request["logprobs"] !== true) return undefined;
  const { top_logprobs: top } = request;
  return { seed, alternatives: typeof top === "number" ? top : 0 };
}

/** Tokens that might have come instead: one more than can be asked for, and one may be the token itself. */
const others =
  " the, a, of, and, to, in, is, it, that, for, as, with, on, by, this, an, or, at, from, are, was, be".split(
    ",",
  );

/** One entry a token: of a character that takes several tokens, each has a share of the bytes. */
export type TokenLogprob = JsonObject;

/** For each piece of the text, in its order; the same for the same question. */
export function logprobsOf(
  answer: Answer,
  choice: number,
  { seed, alternatives }: LogprobsWish,
): readonly (readonly TokenLogprob[])[] {
  const random = randomFrom(fingerprintOf(`${seed} logprobs ${choice}`));
  return answer.text.map((piece) => tokensOf(piece).map((token) => entryOf(token, alternatives, random)));
}

/** What a choice tells in all; nothing where it calls tools instead of speaking. */
export function logprobsMember(content: readonly TokenLogprob[]): JsonObject {
  return { content, refusal: null };
}

type Token = { readonly token: string; readonly bytes: readonly number[] };

function tokensOf({ text, tokens }: Piece): readonly Token[] {
  const bytes = [...Buffer.from(text)];
  if (tokens === 1) return [{ token: text, bytes }];
  const cut = (at: number): number => Math.round((at * bytes.length) / tokens);
  return Array.from({ length: tokens }, (_, at) => {
    const share = bytes.slice(cut(at), cut(at + 1));
    return { token: share.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""), bytes: share };
  });
}

function entryOf(token: Token, alternatives: number, random: Random): TokenLogprob {
  // Never quite sure, so that there is something left for the others.
  const likely = 0.999 - 0.5 * random() ** 2;
  const told = { ...token, logprob: Math.log(likely) };
  const from = between(random, 0, others.length - 1);
  const rest = [...others.slice(from), ...others.slice(0, from)].filter((other) => other !== token.token);
  const less = rest.map((other, at) => ({
    token: other,
    bytes: [...Buffer.from(other)],
    logprob: Math.log((1 - likely) * 0.4 * 0.6 ** at),
  }));
  return { ...told, top_logprobs: [told, ...less].slice(0, alternatives) };
}
