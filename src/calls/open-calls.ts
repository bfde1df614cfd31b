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

export function openCalls(): OpenCalls {
  const cuts = new Set<() => void>();
  let waiting: (() => void)[] = [];
  let isClosed = false;
  return {
    get isClosed() {
      return isClosed;
    },
    close() {
      isClosed = true;
    },
    get count() {
      return cuts.size;
    },
    enter(cut) {
      const entry = () => cut();
      cuts.add(entry);
      return () => {
        cuts.delete(entry);
        if (cuts.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      };
    },
    cutAll() {
      for (const cut of cuts) cut();
    },
    whenEmpty: () => (cuts.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
