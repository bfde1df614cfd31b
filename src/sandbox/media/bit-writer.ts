/** Gathers bits into bytes. `first` says which bit of a byte is filled first. */
export class BitWriter {
  #bytes: Buffer;
  #length = 0;
  #current = 0;
  #filled = 0;
  readonly #isHighFirst: boolean;

  constructor(first: "high" | "low", expectedBytes = 1_024) {
    this.#bytes = Buffer.alloc(expectedBytes);
    this.#isHighFirst = first === "high";
  }

  /** Up to 32 bits of a number, in the order of the bytes: highest first, or lowest first. */
  bits(value: number, count: number): this {
    for (let at = 0; at < count; at += 1) {
      const bit = (value >>> (this.#isHighFirst ? count - 1 - at : at)) & 1;
      this.#current |= bit << (this.#isHighFirst ? 7 - this.#filled : this.#filled);
      this.#filled += 1;
      if (this.#filled === 8) this.#push();
    }
    return this;
  }

  /** Exp-Golomb, as in H.264's `ue(v)`. */
  golomb(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  /** Fills the byte that was begun, with zeros or with ones. */
  align(filler: 0 | 1 = 0): this {
    while (this.#filled !== 0) this.bits(filler, 1);
    return this;
  }

  bytes(content: Uint8Array): this {
    for (const byte of content) this.bits(byte, 8);
    return this;
  }

  done(): Buffer {
    this.align();
    return this.#bytes.subarray(0, this.#length);
  }

  #push(): void {
    if (this.#length === this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    this.#bytes[this.#length] = this.#current;
    this.#length += 1;
    this.#current = 0;
    this.#filled = 0;
  }
}
