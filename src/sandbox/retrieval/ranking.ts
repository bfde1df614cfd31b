import { vectorOf } from "../openai/runs/vector.ts";

/** Enough places that different words rarely mark the same one. */
const places = 1_024;
const leastScore = 0.001;

export type Ranked = { readonly index: number; readonly score: number };

/** Documents by how much they have in common with the query, the most relevant first. Scores are from 0 to 1. */
export function rankedBy(query: string, documents: readonly string[]): readonly Ranked[] {
  const asked = vectorOf(query, places);
  return documents
    .map((document, index) => ({ index, score: scoreOf(asked, vectorOf(document, places)) }))
    .toSorted((one, other) => other.score - one.score);
}

function scoreOf(one: Float32Array, other: Float32Array): number {
  const likeness = one.reduce((sum, value, place) => sum + value * (other[place] ?? 0), 0);
  return Math.round(Math.max(leastScore, Math.min(1, likeness)) * 1e6) / 1e6;
}
