/** Text that one would read, in characters, and elements; both change when a script writes. */
export type PageSize = { readonly text: number; readonly elements: number };

export type PageLook = {
  readonly now: number;
  readonly size: PageSize;
  /** Since the page's last load ended; 0 while one is going on. */
  readonly networkIdleMs: number;
};

/** A page is quiet when it has loaded and changed nothing for this long. */
const quietMs = 500;
/** A script that has just written may write again. */
const quietAfterWritingMs = 1000;
/** For so long a page that says next to nothing may still begin to. */
const usualSilentMs = 3000;
/** A page with scripts and less text than this probably writes the rest itself. */
export const fewCharacters = 200;

/** Whether a page that has loaded is as it will be, from one look at it after another. */
export class PageQuiet {
  readonly #mostSilentMs: number;
  #since: number | undefined;
  #size: PageSize | undefined;
  #changedAt: number | undefined;

  constructor(mostSilentMs = usualSilentMs) {
    this.#mostSilentMs = mostSilentMs;
  }

  isReached({ now, size, networkIdleMs }: PageLook): boolean {
    const since = (this.#since ??= now);
    const { text, elements } = this.#size ?? size;
    if (size.text !== text || size.elements !== elements) this.#changedAt = now;
    this.#size = size;
    if (networkIdleMs < quietMs) return false;
    if (now - since >= this.#mostSilentMs) return true;
    const saysMuch = size.text >= fewCharacters;
    if (this.#changedAt === undefined) return saysMuch && now - since >= quietMs;
    return now - this.#changedAt >= (saysMuch ? quietMs : quietAfterWritingMs);
  }
}
