import { Readable } from "node:stream";

const pieceBytes = 65_536;

/**
 * A message on its way to the server. It is read only after the server has agreed to take it, and only once its last
 * piece was handed over can the server have all of it: what breaks before was not sent.
 */
export class MessageBody extends Readable {
  readonly #bytes: Buffer;
  #at = 0;
  isHandedOver = false;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  override _read(): void {
    const piece = this.#bytes.subarray(this.#at, this.#at + pieceBytes);
    this.#at += piece.length;
    this.isHandedOver = this.#at >= this.#bytes.length;
    this.push(piece);
    if (this.isHandedOver) this.push(null);
  }
}
