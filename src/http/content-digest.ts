import { createHash } from "node:crypto";

/**
 * What an upload brought, told as it is read, so that two sendings of the same can be known by it: a form has another
 * boundary each time it is sent. Each part counts for itself, so that nothing can move from one into the next.
 */
export class ContentDigest {
  readonly #whole = createHash("sha256");

  /** A part with what its head says; it counts when it is read to its end. */
  async *part(
    head: Readonly<Record<string, string | undefined>>,
    body: AsyncIterable<Buffer>,
  ): AsyncGenerator<Buffer, void, undefined> {
    const part = createHash("sha256").update(JSON.stringify(head));
    for await (const bytes of body) {
      part.update(bytes);
      yield bytes;
    }
    this.#whole.update(part.digest());
  }

  /** SHA-256, 32 bytes, of all parts that were read so far. */
  value(): Buffer {
    return this.#whole.copy().digest();
  }
}
