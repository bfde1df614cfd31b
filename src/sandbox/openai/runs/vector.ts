import { fingerprintOf, randomFrom } from "../../answers/random.ts";

/** Each word marks so many places of the vector, the same ones wherever it occurs. */
const placesPerWord = 16;
const mostWords = 512;
/** What tells texts apart that have the same words. */
const placesPerText = 8;

/** A vector of length 1 that stands for a text. */
export function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  for (const word of words.slice(0, mostWords)) mark(vector, word, placesPerWord);
  mark(vector, `text ${text}`, placesPerText);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function mark(vector: Float32Array, word: string, places: number): void {
  const random = randomFrom(fingerprintOf(word));
  for (let place = 0; place < places; place += 1) {
    const at = Math.floor(random() * vector.length);
    vector[at] = (vector[at] ?? 0) + (random() < 0.5 ? -1 : 1);
  }
}
