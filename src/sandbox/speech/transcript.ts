import { sentencesOn } from "../web/prose.ts";

export type TimedWord = { readonly text: string; readonly start: number; readonly end: number };

export type Transcript = {
  readonly text: string;
  /** Seconds from the beginning. */
  readonly words: readonly TimedWord[];
  readonly seconds: number;
};

const wordsPerSecond = 2.5;
const mostWords = 5_000;
const wordsPerSentence = 8;

/** What is said in a sound of a length: the same seed has the same words. */
export function transcriptOf(seed: string, lengthMs: number): Transcript {
  const seconds = Math.round(lengthMs / 10) / 100;
  const count = Math.min(mostWords, Math.max(1, Math.floor(seconds * wordsPerSecond)));
  const sentences = sentencesOn(
    "Voices and sounds of a recording",
    Math.ceil(count / wordsPerSentence),
    seed,
  );
  const said = sentences.join(" ").split(" ").slice(0, count);
  const each = seconds / said.length;
  const words = said.map((text, at) => ({
    text,
    start: hundredths(at * each),
    end: hundredths((at + 0.9) * each),
  }));
  return { text: said.join(" "), words, seconds };
}

function hundredths(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
