/**
 * What many ask at a time is read once: whoever asks for the same within `freshMs` shares the answer. A failure is shared
 * by those who wait for it, and forgotten.
 */
export class SharedReads<Value> {
  readonly #read: (key: string) => Promise<Value>;
  readonly #freshMs: number;
  readonly #fresh = new Map<string, Promise<Value>>();

  constructor(freshMs: number, read: (key: string) => Promise<Value>) {
    this.#freshMs = freshMs;
    this.#read = read;
  }

  get(key: string): Promise<Value> {
    const known = this.#fresh.get(key);
    if (known !== undefined) return known;
    const reading = this.#read(key);
    this.#fresh.set(key, reading);
    const forget = (): void => void this.#fresh.delete(key);
    reading.then(() => setTimeout(forget, this.#freshMs).unref(), forget);
    return reading;
  }
}
