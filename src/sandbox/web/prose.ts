import { withoutDirectives } from "../directives.ts";
import { fingerprintOf, randomFrom } from "../answers/random.ts";
import { topicsOf } from "../answers/topics.ts";
import { answerSentences } from "../answers/words.ts";

/** So many sentences about what a text is about. The same text and seed have the same ones. */
export function sentencesOn(text: string, count: number, seed = fingerprintOf(text)): readonly string[] {
  const plain = withoutDirectives(text);
  const sentences = answerSentences(plain, topicsOf(plain), randomFrom(seed));
  // The first one speaks to somebody who asked.
  sentences.next();
  return Array.from({ length: count }, () => String(sentences.next().value));
}

/** An answer to a question, in so many sentences. */
export function answerOn(question: string, count: number): string {
  const plain = withoutDirectives(question);
  const sentences = answerSentences(plain, topicsOf(plain), randomFrom(fingerprintOf(plain)));
  return Array.from({ length: count }, () => String(sentences.next().value)).join(" ");
}

/** `wind-power_now` is "Wind power now". */
export function titleFrom(text: string): string {
  const words = text
    .replaceAll(/[-_+/.%]+/g, " ")
    .trim()
    .slice(0, 100);
  return words === "" ? "Home" : words.charAt(0).toUpperCase() + words.slice(1);
}
