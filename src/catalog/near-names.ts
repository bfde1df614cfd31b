/** Names longer than this are compared by their beginning only, so that the work is bounded. */
const comparedLength = 100;
/** Below this likeness a suggestion is noise. */
const leastLikeness = 0.4;

type Spelling = { readonly name: string; readonly owner: string; readonly pairs: ReadonlySet<string> };

export type NearNames = (name: string, limit: number) => readonly string[];

/**
 * Suggests the names most like one that was not found, at most one per owner, best first. Likeness is the share of
 * common letter pairs; the work is bounded by the number of names, whatever is asked.
 */
export function nearNames(names: Iterable<readonly [name: string, owner: string]>): NearNames {
  let known: readonly Spelling[] | undefined;
  return (name, limit) => {
    // Made when a name is first asked for: a start does not wait for it.
    const spellings = (known ??= Array.from(names, spellingOf));
    const asked = letterPairs(name);
    const best = new Map<string, { readonly name: string; readonly likeness: number }>();
    for (const spelling of spellings) {
      const likeness = likenessOf(asked, spelling.pairs);
      if (likeness < leastLikeness || likeness <= (best.get(spelling.owner)?.likeness ?? 0)) continue;
      best.set(spelling.owner, { name: spelling.name, likeness });
    }
    return [...best.values()]
      .sort((one, other) => other.likeness - one.likeness)
      .slice(0, limit)
      .map((found) => found.name);
  };
}

function spellingOf([name, owner]: readonly [name: string, owner: string]): Spelling {
  return { name, owner, pairs: letterPairs(name) };
}

function letterPairs(name: string): ReadonlySet<string> {
  const text = name.slice(0, comparedLength).toLowerCase();
  const pairs = new Set<string>();
  for (let at = 0; at + 2 <= text.length; at += 1) pairs.add(text.slice(at, at + 2));
  return pairs;
}

function likenessOf(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  if (one.size === 0 || other.size === 0) return 0;
  let common = 0;
  for (const pair of one) if (other.has(pair)) common += 1;
  return (2 * common) / (one.size + other.size);
}
