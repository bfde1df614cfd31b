/** One running call, from before its first wait to its end. */
export type Place = {
  /** True once the call was told to end early. */
  readonly isCut: boolean;
  /** What ends the call early; it is charged for what was delivered. Called at once when it is cut already. */
  onCut(end: () => void): void;
  /** The call is over. */
  leave(): void;
};

/** The calls that are running here, so that a shutdown can wait for them and then end them in an orderly way. */
export type OpenCalls = {
  readonly count: number;
  /** No new calls from now on. */
  readonly isClosed: boolean;
  close(): void;
  enter(): Place;
  cutAll(): void;
  /** Resolves when none is left. */
  whenEmpty(): Promise<void>;
};

/**
 * An array whose gaps the last place fills, not a `Set`: each table that a busy set outgrows leads to the next one, so
 * once one of them is old, all calls since then survive every collection of young garbage.
 */
export function openCalls(): OpenCalls {
  const places: PlaceIn[] = [];
  let waiting: (() => void)[] = [];
  let isClosed = false;

  function left(): void {
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
    enter: () => new PlaceIn(places, left),
    cutAll() {
      // A copy, because a call that is cut may leave at once.
      for (const place of places.slice()) place.cut();
    },
    whenEmpty: () =>
      places.length === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)),
  };
}

class PlaceIn implements Place {
  readonly #places: PlaceIn[];
  readonly #left: () => void;
  #index: number;
  #end: (() => void) | undefined;
  #isCut = false;

  constructor(places: PlaceIn[], left: () => void) {
    this.#places = places;
    this.#left = left;
    this.#index = places.length;
    places.push(this);
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  onCut(end: () => void): void {
    this.#end = end;
    if (this.#isCut) end();
  }

  cut(): void {
    this.#isCut = true;
    this.#end?.();
  }

  leave(): void {
    if (this.#places[this.#index] !== this) return;
    const last = this.#places.pop();
    if (last !== undefined && last !== this) {
      this.#places[this.#index] = last;
      last.#index = this.#index;
    }
    this.#index = -1;
    this.#left();
  }
}
