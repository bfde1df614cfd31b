/** Smaller pieces than this are joined, so many at a time. */
const smallBytes = 4_096;
const mostSmallPieces = 256;

/**
 * Bytes that come piece by piece, wanted as a whole. A sender chooses how small its pieces are, and each that is kept for
 * itself takes 400 bytes more than it holds: small ones are joined before they add up. No byte is copied more than twice.
 */
export class GatheredBytes {
  readonly #pieces: Buffer[] = [];
  /** How many of the last pieces are small. */
  #smallPieces = 0;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(bytes: Buffer): void {
    const isSmall = bytes.length < smallBytes;
    if (!isSmall || this.#smallPieces === mostSmallPieces) this.#joinSmall();
    this.#pieces.push(bytes);
    this.#sizeBytes += bytes.length;
    if (isSmall) this.#smallPieces += 1;
  }

  /** A single piece as it came. */
  whole(): Buffer {
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#pieces, this.#sizeBytes);
  }

  #joinSmall(): void {
    if (this.#smallPieces > 1) this.#pieces.push(Buffer.concat(this.#pieces.splice(-this.#smallPieces)));
    this.#smallPieces = 0;
  }
}
