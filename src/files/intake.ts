import { FileTooLarge } from "./file-store.ts";
import type { PutFile } from "./file-store.ts";

const headBytes = 4096;

/** Counts a body on its way into a store, ends it at the limit, and keeps a copy of its beginning. */
export class Intake {
  readonly #maxBytes: number;
  readonly #head = Buffer.alloc(headBytes);
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async *through(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const bytes of body) {
      if (this.#sizeBytes < headBytes) bytes.copy(this.#head, this.#sizeBytes);
      this.#sizeBytes += bytes.length;
      if (this.#sizeBytes > this.#maxBytes) throw new FileTooLarge(this.#maxBytes);
      yield bytes;
    }
  }

  get taken(): PutFile {
    return { sizeBytes: this.#sizeBytes, head: this.#head.subarray(0, this.#sizeBytes) };
  }
}
