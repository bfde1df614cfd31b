export type GroupedWritesOptions<Item, Answer> = {
  /** Writes all items or none, and answers in their order. */
  readonly write: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** Failures that say nothing about single items: every item of the statement gets them. */
  readonly concernsAll: (error: unknown) => boolean;
  readonly maxItems?: number;
};

type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Group commit: what arrives while one statement is on its way goes out together in the next, back to back and with no
 * timer, so an idle server writes at once and a busy one shares its commits. Items keep their order. An item that the
 * database refuses fails alone.
 */
export class GroupedWrites<Item, Answer> {
  readonly #options: GroupedWritesOptions<Item, Answer>;
  readonly #maxItems: number;
  #waiting: Waiting<Item, Answer>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: GroupedWritesOptions<Item, Answer>) {
    this.#options = options;
    this.#maxItems = options.maxItems ?? 500;
  }

  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await nextTurn();
      const together = this.#waiting.splice(0, this.#maxItems);
      await this.#write(together);
    }
    this.#running = undefined;
  }

  async #write(together: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.write(together.map((waiting) => waiting.item));
      if (answers.length !== together.length)
        throw new Error("a grouped write was not answered item by item");
      for (const [index, answer] of answers.entries()) together[index]?.resolve(answer);
    } catch (error) {
      if (together.length === 1 || this.#options.concernsAll(error)) {
        for (const waiting of together) waiting.reject(error);
        return;
      }
      for (const waiting of together) await this.#write([waiting]);
    }
  }
}

/**
 * What the event loop brings meanwhile joins the statement: in its current turn the other requests that were read from
 * their sockets, in the next one what clients send at once whom the statement before let answer. Without the second,
 * the calls of a busy server part into two halves that wait for each other's statement.
 */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
