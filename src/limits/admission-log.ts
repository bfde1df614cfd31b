const smallestCapacity = 8;

/**
 * The times at which calls of one key were admitted, oldest first: a ring that grows with its content and shrinks
 * again. Times handed to `add` never go back; equal times stand for one another.
 */
export class AdmissionLog {
  #times = new Float64Array(smallestCapacity);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many times fit before the ring grows: 8 bytes each. */
  get capacity(): number {
    return this.#times.length;
  }

  /** The time at a place counted from the oldest; undefined where there is none. */
  at(index: number): number | undefined {
    return index >= 0 && index < this.#size ? this.#get(index) : undefined;
  }

  get newest(): number | undefined {
    return this.at(this.#size - 1);
  }

  add(time: number): void {
    if (this.#size === this.#times.length) this.#resize(this.#size * 2);
    this.#set(this.#size, time);
    this.#size += 1;
  }

  /** Drops the times that are a whole window old at `now`. */
  forget(now: number, windowMs: number): void {
    if (this.#size === 0 || now - this.#get(0) < windowMs) return;
    let dropped = 1;
    while (dropped < this.#size && now - this.#get(dropped) >= windowMs) dropped += 1;
    this.#head = (this.#head + dropped) & (this.#times.length - 1);
    this.#size -= dropped;
    if (this.#size * 8 <= this.#times.length && this.#times.length > smallestCapacity) {
      let capacity = smallestCapacity;
      while (capacity < this.#size * 2) capacity *= 2;
      this.#resize(capacity);
    }
  }

  /** Takes one entry of this time back. Cheap for recent ones: only newer entries move. */
  remove(time: number): void {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#get(middle) <= time) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    if (index < 0 || this.#get(index) !== time) return;
    for (let next = low; next < this.#size; next += 1) this.#set(next - 1, this.#get(next));
    this.#size -= 1;
  }

  #get(index: number): number {
    return this.#times[(this.#head + index) & (this.#times.length - 1)] ?? 0;
  }

  #set(index: number, time: number): void {
    this.#times[(this.#head + index) & (this.#times.length - 1)] = time;
  }

  #resize(capacity: number): void {
    const times = new Float64Array(capacity);
    for (let index = 0; index < this.#size; index += 1) times[index] = this.#get(index);
    this.#times = times;
    this.#head = 0;
  }
}
