/** The calls that are running here, so that a shutdown can wait for them and then end them in an orderly way. */
export type OpenCalls = {
  readonly count: number;
  /** No new calls from now on. */
  readonly isClosed: boolean;
  close(): void;
  /** `cut` ends the call early; it is charged for what was delivered. Returns what to do when the call is over. */
  enter(cut: () => void): () => void;
  cutAll(): void;
  /** Resolves when none is left. */
  whenEmpty(): Promise<void>;
};

type Place = { readonly cut: () => void; index: number };

/**
 * An array whose gaps the last place fills, not a `Set`: each table that a busy set outgrows leads to the next one, so
 * once one of them is old, all calls since then survive every collection of young garbage.
 */
export function openCalls(): OpenCalls {
  const places: Place[] = [];
  let waiting: (() => void)[] = [];
  let isClosed = false;

  function leave(place: Place): void {
    if (places[place.index] !== place) return;
    const last = places.pop();
    if (last !== undefined && last !== place) {
      places[place.index] = last;
      last.index = place.index;
    }
    place.index = -1;
    if (places.length > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    get isClosed() {
      return isClosed;
    },
    close() {
      isClosed = true;
    },
    get count() {
      return places.length;
    },
    enter(cut) {
      const place: Place = { cut, index: places.length };
      places.push(place);
      return () => leave(place);
    },
    cutAll() {
      // A copy, because a call that is cut may leave at once.
      for (const { cut } of [...places]) cut();
    },
    whenEmpty: () =>
      places.length === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  };
}
