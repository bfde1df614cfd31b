/** Receives the data of one event, its lines joined by "\n", and the event's name ("" when it has none). */
export type EventSink = (data: string, name: string) => void;

const lineFeed = 0x0a;
const space = 0x20;
/** The UTF-8 byte order mark, one character per byte. */
const byteOrderMark = "\u00ef\u00bb\u00bf";
const dataPrefix = "data: ";

/**
 * Splits a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), fed as latin1
 * text (one character per byte) in any cuts: the same bytes in other cuts give the same events. Comments, `id` and
 * `retry` are left out, and so are events without data. Time and memory are linear in the bytes.
 */
export class ServerEvents {
  readonly #sink: EventSink;
  readonly #maxEventBytes: number;
  /** The unfinished line. Grows as a rope and is searched only once it is whole. */
  #line = "";
  #data: string | undefined;
  #name = "";
  #firstLine = true;
  #afterCarriageReturn = false;
  #tooLong = false;

  constructor(sink: EventSink, maxEventBytes = 4 * 1024 * 1024) {
    this.#sink = sink;
    this.#maxEventBytes = maxEventBytes;
  }

  /** True once an event or line was longer than allowed; nothing is read from then on. */
  get tooLong(): boolean {
    return this.#tooLong;
  }

  push(latin1: string): void {
    let at = this.#restOfLineEnd(latin1);
    let carriage = latin1.indexOf("\r", at);
    let feed = latin1.indexOf("\n", at);
    while (at < latin1.length && !this.#tooLong) {
      carriage = stillAhead(latin1, "\r", { found: carriage, at });
      feed = stillAhead(latin1, "\n", { found: feed, at });
      if (feed === -1 && carriage === -1) return this.#keep(latin1.slice(at));
      const byCarriage = carriage !== -1 && (feed === -1 || carriage < feed);
      at = byCarriage ? this.#carriageLine(latin1, at, carriage) : this.#feedLine(latin1, at, feed);
    }
  }

  /** The stream is over: its last line and event count as finished. */
  end(): void {
    if (this.#tooLong) return;
    if (this.#line !== "") this.#takeLine("");
    this.#dispatch();
  }

  /** 1 when the text begins with the "\n" of a "\r\n" that was cut in two. */
  #restOfLineEnd(latin1: string): number {
    if (latin1 === "" || !this.#afterCarriageReturn) return 0;
    this.#afterCarriageReturn = false;
    return latin1.charCodeAt(0) === lineFeed ? 1 : 0;
  }

  #keep(rest: string): void {
    this.#line += rest;
    if (this.#line.length + (this.#data?.length ?? 0) > this.#maxEventBytes) this.#stop();
  }

  #stop(): void {
    this.#tooLong = true;
    this.#line = "";
    this.#data = undefined;
  }

  /** Returns where the next line begins. */
  #feedLine(text: string, start: number, end: number): number {
    const isWholeEvent =
      text.charCodeAt(end + 1) === lineFeed &&
      this.#line === "" &&
      this.#data === undefined &&
      this.#name === "" &&
      end - start <= this.#maxEventBytes &&
      text.startsWith(dataPrefix, start);
    if (!isWholeEvent) {
      this.#takeLine(text.slice(start, end));
      return end + 1;
    }
    this.#firstLine = false;
    if (end > start + dataPrefix.length) this.#sink(text.slice(start + dataPrefix.length, end), "");
    return end + 2;
  }

  #carriageLine(text: string, start: number, end: number): number {
    this.#takeLine(text.slice(start, end));
    if (end + 1 === text.length) this.#afterCarriageReturn = true;
    return text.charCodeAt(end + 1) === lineFeed ? end + 2 : end + 1;
  }

  #takeLine(rest: string): void {
    let line = this.#line === "" ? rest : this.#line + rest;
    this.#line = "";
    if (line.length + (this.#data?.length ?? 0) > this.#maxEventBytes) return this.#stop();
    if (this.#firstLine) {
      this.#firstLine = false;
      if (line.startsWith(byteOrderMark)) line = line.slice(byteOrderMark.length);
    }
    if (line === "") return this.#dispatch();
    const colonAt = line.indexOf(":");
    const field = colonAt === -1 ? line : line.slice(0, colonAt);
    if (field === "data") this.#data = joined(this.#data, valueOf(line, colonAt));
    else if (field === "event") this.#name = valueOf(line, colonAt);
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = undefined;
    this.#name = "";
    if (data !== undefined && data !== "") this.#sink(data, name);
  }
}

/** Where the sign comes next; -1 stays -1, so that no stretch of the text is searched twice. */
function stillAhead(text: string, sign: string, { found, at }: { found: number; at: number }): number {
  return found !== -1 && found < at ? text.indexOf(sign, at) : found;
}

function joined(before: string | undefined, line: string): string {
  return before === undefined ? line : `${before}\n${line}`;
}

function valueOf(line: string, colonAt: number): string {
  if (colonAt === -1) return "";
  return line.slice(line.charCodeAt(colonAt + 1) === space ? colonAt + 2 : colonAt + 1);
}
