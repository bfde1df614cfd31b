import { freshEffort } from "./effort.ts";
import { fingerprintOf, randomFrom } from "./random.ts";
import type { Question } from "./question.ts";
import { fillSchema } from "./schema-filler.ts";
import { cutTo, textOf, tokensIn } from "./tokens.ts";
import type { Piece, Tokenizer } from "./tokens.ts";
import { callsFor } from "./tool-calls.ts";
import { topicsOf } from "./topics.ts";
import type { Topics } from "./topics.ts";
import { answerSentences, fullLength, resultSentence, thoughtSentences } from "./words.ts";

export type AnsweredCall = {
  /** Hexadecimal; each wire puts its own prefix before it. */
  readonly id: string;
  readonly name: string;
  /** JSON text, cut at token bounds. Incomplete when the answer ran out of tokens. */
  readonly arguments: readonly Piece[];
  readonly isCustom: boolean;
};

export type Answer = {
  readonly thinking: readonly Piece[];
  readonly text: readonly Piece[];
  readonly calls: readonly AnsweredCall[];
  readonly end: "done" | "length" | "stop" | "calls";
  /** The stop sequence that ended the text; it is not part of it. */
  readonly stop: string | undefined;
  readonly thinkingTokens: number;
  /** Thinking included; exactly the limit when `end` is `length`. */
  readonly outputTokens: number;
};

export const emptyAnswer: Answer = {
  thinking: [],
  text: [],
  calls: [],
  end: "done",
  stop: undefined,
  thinkingTokens: 0,
  outputTokens: 0,
};

/** The same question has the same answer; `choice` tells several answers to one question apart. */
export function answerTo(question: Question, tokenizer: Tokenizer, choice = 0): Answer {
  const own = choice === 0 ? question.fingerprint : fingerprintOf(`${question.fingerprint} choice ${choice}`);
  const topics = topicsOf(question.prompt);
  const thinking = question.thinks ? tokenizer.pieces(thoughtsOn(topics, own)) : [];
  const calls = callsFor(question, topics, own).map((call) => ({
    id: call.id,
    name: call.name,
    isCustom: call.isCustom,
    arguments: tokenizer.pieces(call.arguments),
  }));
  const said = calls.length > 0 ? silence : sayingOf(question, topics, { own, tokenizer });
  return withinLimit({ thinking, calls, said, maxTokens: question.maxTokens }, tokenizer);
}

type Saying = { readonly pieces: readonly Piece[]; readonly stop: string | undefined };
const silence: Saying = { pieces: [], stop: undefined };

type Means = { readonly own: string; readonly tokenizer: Tokenizer };

function sayingOf(question: Question, topics: Topics, means: Means): Saying {
  const pieces =
    question.json === undefined ? proseOf(question, topics, means) : jsonOf(question, topics, means);
  if (question.stops.length === 0) return { pieces, stop: undefined };
  const text = textOf(pieces);
  const first = question.stops
    .map((stop) => ({ stop, at: text.indexOf(stop) }))
    .filter(({ stop, at }) => stop !== "" && at !== -1)
    .sort((one, other) => one.at - other.at)[0];
  if (first === undefined) return { pieces, stop: undefined };
  return { pieces: means.tokenizer.pieces(text.slice(0, first.at)), stop: first.stop };
}

function proseOf(question: Question, topics: Topics, { own, tokenizer }: Means): readonly Piece[] {
  const random = randomFrom(own);
  const wanted = question.lengthTokens;
  const sentences = answerSentences(question.prompt, topics, random);
  const spoken: string[] = question.toolResults.length > 0 ? [resultSentence(question.toolResults)] : [];
  let missing = spoken.length > 0 ? 0 : fullLength(question.prompt, topics, random);
  for (;;) {
    for (; missing > 0; missing -= 1) spoken.push(sentences.next().value);
    const pieces = tokenizer.pieces(spoken.join(" "));
    if (wanted === undefined) return pieces;
    const tokens = tokensIn(pieces);
    if (tokens >= wanted) return cutTo(pieces, wanted);
    // A sentence is at least ten tokens long, so this loop runs twice at most.
    missing = Math.ceil((wanted - tokens) / 10) + 1;
  }
}

function jsonOf(question: Question, topics: Topics, { own, tokenizer }: Means): readonly Piece[] {
  const words = [...topics.things, ...topics.words];
  const filling = { random: randomFrom(own), words, effort: freshEffort(question.choices) };
  return tokenizer.pieces(JSON.stringify(fillSchema(question.json?.schema, filling)));
}

function thoughtsOn(topics: Topics, own: string): string {
  const random = randomFrom(fingerprintOf(`${own} thinking`));
  const thoughts = thoughtSentences(topics, random);
  return Array.from({ length: 2 + Math.floor(random() * 3) }, () => thoughts.next().value).join(" ");
}

type Unlimited = {
  readonly thinking: readonly Piece[];
  readonly calls: readonly AnsweredCall[];
  readonly said: Saying;
  readonly maxTokens: number;
};

function withinLimit({ thinking, calls, said, maxTokens }: Unlimited, tokenizer: Tokenizer): Answer {
  let wanted = 0;
  const take = (pieces: readonly Piece[]): readonly Piece[] => {
    const left = maxTokens - wanted;
    wanted += tokensIn(pieces);
    return wanted > maxTokens ? cutTo(pieces, left) : pieces;
  };
  const keptThinking = take(thinking);
  const text = take(said.pieces);
  const keptCalls: AnsweredCall[] = [];
  for (const call of calls) {
    wanted += tokenizer.count(call.name);
    if (wanted < maxTokens) keptCalls.push({ ...call, arguments: take(call.arguments) });
  }
  const isCut = wanted > maxTokens;
  return {
    thinking: keptThinking,
    text,
    calls: keptCalls,
    end: isCut ? "length" : endOf(calls, said),
    stop: isCut ? undefined : said.stop,
    thinkingTokens: tokensIn(keptThinking),
    outputTokens: Math.min(wanted, maxTokens),
  };
}

function endOf(calls: readonly AnsweredCall[], said: Saying): Answer["end"] {
  if (calls.length > 0) return "calls";
  return said.stop === undefined ? "done" : "stop";
}
