/** No more of an answer's text is kept for counting than this, which is about the longest that any model gives. */
const mostBytes = 512 * 1024;
/** Pieces are cut out of larger reads and would keep those in memory, so they are copied soon. */
const mostLoosePieces = 128;
const mostLooseBytes = 4_096;
const beyondAscii = /[\u0080-\uffff]/;

/**
 * The output of a stream, gathered cheaply as UTF-8 bytes: its beginning as text, and the length of all of it. Memory is
 * bounded by twice the text, and by 1 MiB.
 */
export class OutputTally {
  #bytes = Buffer.alloc(0);
  #length = 0;
  #characters = 0;
  #loose = "";
  #loosePieces = 0;

  /** UTF-8 with one character per byte. */
  addLatin1(piece: string): void {
    this.#loose += piece;
    this.#loosePieces++;
    if (this.#loosePieces >= mostLoosePieces || this.#loose.length >= mostLooseBytes) this.#copy();
  }

  add(text: string): void {
    this.addLatin1(beyondAscii.test(text) ? Buffer.from(text).toString("latin1") : text);
  }

  /** Of all that was added, as JavaScript counts them. */
  get characters(): number {
    this.#copy();
    return this.#characters;
  }

  text(): string {
    this.#copy();
    return this.#bytes.toString("utf8", 0, this.#length);
  }

  #copy(): void {
    const end = Math.min(this.#length + this.#loose.length, mostBytes);
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.min(Math.max(end, this.#bytes.length * 2, 256), mostBytes));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.write(this.#loose, this.#length, end - this.#length, "latin1");
    this.#length = end;
    const isAscii = !beyondAscii.test(this.#loose);
    this.#characters += isAscii ? this.#loose.length : Buffer.from(this.#loose, "latin1").toString().length;
    this.#loose = "";
    this.#loosePieces = 0;
  }
}
