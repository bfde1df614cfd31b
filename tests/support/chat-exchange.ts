import http from "node:http";
import type { IncomingMessage } from "node:http";

/** What a client sees of one call, byte for byte as it comes; it can leave at any time, in the ways clients do. */
export type ChatExchange = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** The id under which the ledger keeps the call; it follows from the request's id. */
  readonly callId: string;
  /** The body so far. */
  readonly text: string;
  /** Text deltas so far. */
  readonly deltas: number;
  /** All of it arrived: `[DONE]`, or a whole JSON body. */
  readonly isComplete: boolean;
  /** The connection broke before the end. */
  readonly isBroken: boolean;
  /** The headers are here, or never will be. */
  readonly answered: Promise<void>;
  /** The answer is over, in whatever way. */
  readonly over: Promise<void>;
  leave(how: "FIN" | "RST"): void;
  /** The body as JSON, or the last chunk of a stream before `[DONE]`. */
  json(): Json;
};

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export type Ask = {
  readonly url: string;
  readonly key: string;
  /** Default a chat. */
  readonly path?: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every part of the body. */
  readonly onPart?: (exchange: ChatExchange) => void;
};

export const hello = [{ role: "user", content: "hi" }];

/** Sends a call on a connection of its own. */
export function startChat(ask: Ask): ChatExchange {
  return new Exchange(ask);
}

/** Sends a call and waits for its end. */
export async function chatToEnd(ask: Ask): Promise<ChatExchange> {
  const exchange = startChat(ask);
  await exchange.over;
  return exchange;
}

class Exchange implements ChatExchange {
  status = 0;
  headers: IncomingMessage["headers"] = {};
  isBroken = false;
  readonly answered: Promise<void>;
  readonly over: Promise<void>;
  #text = "";
  readonly #request: http.ClientRequest;
  #hasEnded = false;

  constructor({ url, key, path = "/v1/chat/completions", body, headers, onPart }: Ask) {
    const answered = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    this.answered = answered.promise;
    this.over = over.promise;
    const bytes = Buffer.from(JSON.stringify(body));
    this.#request = http.request(url + path, {
      method: "POST",
      agent: false,
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "content-length": bytes.length,
        ...headers,
      },
    });
    const finish = (): void => {
      this.isBroken = !this.#hasEnded;
      answered.resolve();
      over.resolve();
    };
    this.#request.on("response", (response) => {
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      answered.resolve();
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        this.#text += part;
        onPart?.(this);
      });
      response.on("end", () => (this.#hasEnded = true));
      response.on("error", () => undefined);
      response.on("close", finish);
    });
    this.#request.on("error", finish);
    this.#request.on("close", () => {
      if (this.status === 0) finish();
    });
    this.#request.end(bytes);
  }

  get text(): string {
    return this.#text;
  }

  get callId(): string {
    const id = this.headers["x-request-id"];
    return typeof id === "string" ? id.replace("req_", "call_") : "";
  }

  get deltas(): number {
    return this.#text.split('"delta":{"content":"').length - 1;
  }

  get isComplete(): boolean {
    if (this.status !== 200) return false;
    if (this.#isStream()) return this.#text.endsWith("data: [DONE]\n\n");
    return this.#hasEnded && this.#text.endsWith("}");
  }

  leave(how: "FIN" | "RST"): void {
    if (how === "FIN") this.#request.destroy();
    else this.#request.socket?.resetAndDestroy();
  }

  json(): Json {
    if (!this.#isStream()) return JSON.parse(this.#text);
    const last = dataOf(this.#text)
      .filter((data) => data !== "[DONE]")
      .at(-1);
    return JSON.parse(last ?? "null");
  }

  #isStream(): boolean {
    return this.headers["content-type"]?.startsWith("text/event-stream") === true;
  }
}

/** The payloads of a stream's events, in order. */
export function dataOf(text: string): readonly string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice("data: ".length));
}
