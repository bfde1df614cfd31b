import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** What was written to a response, from its head to its end. */
export type RecordedAnswer = {
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined when it is larger than what is recorded. */
  readonly body: Buffer | undefined;
};

type Heads = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * Records what is written to `response`, of whatever kind, without holding it up: pieces pass through as they come. Only
 * the end waits, until `onEnd` resolves. What a client that has gone no longer takes is recorded all the same.
 */
export function recordAnswer(
  response: ServerResponse,
  mostBytes: number,
  onEnd: (answer: RecordedAnswer) => Promise<void>,
): void {
  const writeHead = response.writeHead.bind(response);
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  const headers: Record<string, string> = {};
  const body = new BoundedBody(mostBytes);
  let isEnding = false;

  response.writeHead = (status: number, second?: string | Heads, third?: Heads) => {
    const given = typeof second === "string" ? third : second;
    Object.assign(headers, headersIn(response.getHeaders()), headersIn(given));
    return typeof second === "string" ? writeHead(status, second, third) : writeHead(status, second);
  };
  response.write = (chunk: string | Uint8Array, second?: unknown, third?: unknown) => {
    const bytes = bytesOf(chunk, second);
    body.add(bytes);
    return write(bytes, listenerIn([second, third]));
  };
  response.end = (first?: unknown, second?: unknown, third?: unknown) => {
    if (isEnding) return response;
    isEnding = true;
    const last =
      typeof first === "string" || first instanceof Uint8Array ? bytesOf(first, second) : undefined;
    if (last !== undefined) body.add(last);
    const listener = listenerIn([first, second, third]);
    const sendEnd = (): void => void (last === undefined ? end(listener) : end(last, listener));
    onEnd({ status: response.statusCode, headers, body: body.whole() }).then(sendEnd, sendEnd);
    return response;
  };
}

function bytesOf(chunk: string | Uint8Array, encoding: unknown): Buffer {
  if (typeof chunk !== "string") return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Buffer.from(
    chunk,
    typeof encoding === "string" && Buffer.isEncoding(encoding) ? encoding : undefined,
  );
}

/** node:http takes what is to be called at the end in any place. */
function listenerIn(given: readonly unknown[]): (() => void) | undefined {
  const listener = given.find((one) => typeof one === "function");
  return listener === undefined ? undefined : () => void Reflect.apply(listener, undefined, []);
}

/** Our doors hand their headers in as an object. */
function headersIn(given: Heads | undefined): Record<string, string> {
  if (given === undefined || Array.isArray(given)) return {};
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

class BoundedBody {
  readonly #mostBytes: number;
  #pieces: Buffer[] | undefined = [];
  #sizeBytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#mostBytes) this.#pieces = undefined;
    // A copy: whoever writes may use its memory again.
    else if (bytes.length > 0) this.#pieces?.push(Buffer.from(bytes));
  }

  whole(): Buffer | undefined {
    return this.#pieces === undefined ? undefined : Buffer.concat(this.#pieces);
  }
}
