/**
 * Takes server-sent events apart (https://html.spec.whatwg.org/multipage/server-sent-events.html), fed as text in any
 * cuts: the same text in other cuts gives the same events. Only data counts: names, ids and comments are left out.
 */
export class EventReader {
  #line = "";
  #data: string | undefined;
  #afterCarriageReturn = false;

  /** The data of each event that this text completes. */
  push(text: string): readonly string[] {
    if (text === "") return [];
    const rest = this.#afterCarriageReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#afterCarriageReturn = text.endsWith("\r");
    const lines = rest.split(/\r\n|\r|\n/);
    const unfinished = lines.pop() ?? "";
    const complete: string[] = [];
    for (const line of lines) {
      const data = this.#take(this.#line + line);
      this.#line = "";
      if (data !== undefined) complete.push(data);
    }
    this.#line += unfinished;
    return complete;
  }

  /** The event's data when the line is the empty one that ends it. */
  #take(line: string): string | undefined {
    if (line === "") {
      const data = this.#data;
      this.#data = undefined;
      return data;
    }
    if (line !== "data" && !line.startsWith("data:")) return undefined;
    const value = line.slice("data:".length).replace(/^ /, "");
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    return undefined;
  }
}
