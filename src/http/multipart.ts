import { isUtf8 } from "node:buffer";
import { Problem } from "../core/problems.ts";
import { formFieldOf } from "./form-field.ts";
import type { FormField } from "./form-field.ts";

export type FormPart = FormField & {
  /** To be read before the next part is asked for; what is left of it then is passed over. */
  readonly body: AsyncGenerator<Buffer, void, undefined>;
};

const mostHeadBytes = 8 * 1024;
const mostEpilogueBytes = 1024;
const noBytes = Buffer.alloc(0);

/**
 * The parts of a `multipart/form-data` body (RFC 7578) as they arrive. Strict: nothing before the first boundary, CRLF
 * line ends, a boundary only where a part ends; everything else throws `invalid_request`. Holds one piece of the source
 * and the head of one part in memory. When its reader stops early, the source is told so.
 */
export async function* readMultipart(
  source: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const reader = new FormReader(source, boundary);
  try {
    await reader.readOpening();
    while (await reader.hasPart()) {
      const field = formFieldOf(await reader.readHead());
      yield { ...field, body: reader.bodyOfPart() };
      while ((await reader.nextOfBody()) !== undefined);
    }
    await reader.readEpilogue();
  } finally {
    await reader.stop();
  }
}

class FormReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** What came and is not used yet. As if a line had ended before the first boundary: so all boundaries look alike. */
  #rest: Buffer = Buffer.from("\r\n");
  #isInBody = false;

  constructor(source: AsyncIterable<Buffer>, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  }

  async readOpening(): Promise<void> {
    const opening = await this.#take(this.#delimiter.length);
    if (!opening.equals(this.#delimiter))
      throw malformed("It does not begin with the boundary that the header names.");
  }

  /** Behind a boundary: whether a part follows or the form is over. */
  async hasPart(): Promise<boolean> {
    const mark = (await this.#take(2)).toString("latin1");
    if (mark !== "\r\n" && mark !== "--")
      throw malformed("A boundary is followed by something else than a line end.");
    return mark === "\r\n";
  }

  /** The header lines of a part, without the empty line that ends them. */
  async readHead(): Promise<string> {
    let end = this.#rest.indexOf("\r\n\r\n");
    while (end === -1) {
      if (this.#rest.length > mostHeadBytes) break;
      if (!(await this.#more())) throw brokenOff();
      end = this.#rest.indexOf("\r\n\r\n");
    }
    if (end === -1 || end > mostHeadBytes)
      throw malformed(`The headers of a part are longer than ${mostHeadBytes} bytes.`);
    const head = await this.#take(end);
    await this.#take(4);
    this.#isInBody = true;
    return head.toString(isUtf8(head) ? "utf8" : "latin1");
  }

  async *bodyOfPart(): AsyncGenerator<Buffer, void, undefined> {
    for (let bytes = await this.nextOfBody(); bytes !== undefined; bytes = await this.nextOfBody())
      yield bytes;
  }

  /** The next piece of the part's body; undefined at its end, when its boundary is used up. */
  async nextOfBody(): Promise<Buffer | undefined> {
    while (this.#isInBody) {
      const end = this.#rest.indexOf(this.#delimiter);
      // What may be the beginning of a boundary waits for more.
      const safe = end === -1 ? this.#rest.length - this.#delimiter.length + 1 : end;
      if (safe > 0) return this.#take(safe);
      if (end === 0) {
        this.#isInBody = false;
        await this.#take(this.#delimiter.length);
      } else if (!(await this.#more())) throw brokenOff();
    }
    return undefined;
  }

  /** What follows the form means nothing; a client that sends a line end there is right. */
  async readEpilogue(): Promise<void> {
    let sizeBytes = this.#rest.length;
    this.#rest = noBytes;
    while (await this.#more()) {
      sizeBytes += this.#rest.length;
      this.#rest = noBytes;
      if (sizeBytes > mostEpilogueBytes) break;
    }
    if (sizeBytes > mostEpilogueBytes) throw malformed("Something follows the end of the form.");
  }

  async stop(): Promise<void> {
    await this.#source.return?.();
  }

  async #take(sizeBytes: number): Promise<Buffer> {
    while (this.#rest.length < sizeBytes) if (!(await this.#more())) throw brokenOff();
    const taken = this.#rest.subarray(0, sizeBytes);
    this.#rest = this.#rest.subarray(sizeBytes);
    return taken;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    return true;
  }
}

function brokenOff(): Problem {
  return malformed("It ends before its last boundary.");
}

export function malformed(fault: string): Problem {
  return new Problem("invalid_request", { message: `The multipart form cannot be read. ${fault}` });
}
