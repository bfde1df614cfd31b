import { setTimeout } from "node:timers/promises";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client.ts";
import type { CliHouse } from "./cli-house.ts";
import { customerKey, operatorToken, serverUrl } from "./credentials.ts";
import type { Credential, GlobalOptions } from "./credentials.ts";
import { harmless } from "./terminal-text.ts";
import { Interrupted, OutputClosed } from "./exit.ts";

/** What a command works with: clients made from the global options, and the two outputs. */
export class Desk {
  readonly house: CliHouse;
  readonly #options: () => GlobalOptions;
  readonly #ending = new AbortController();
  #exitCode = 0;
  #sent: string | undefined;

  constructor(house: CliHouse, options: () => GlobalOptions) {
    this.house = house;
    this.#options = options;
    for (const stream of [house.standardOutput, house.standardError]) {
      stream.on("error", (error: NodeJS.ErrnoException) => this.end(outputFailure(error)));
    }
  }

  /** What the process ends with when the command does not throw. */
  get exitCode(): number {
    return this.#exitCode;
  }

  set exitCode(code: number) {
    this.#exitCode = code;
  }

  /** Where the key or token came from that was sent last. */
  get sent(): string | undefined {
    return this.#sent;
  }

  get isJson(): boolean {
    return this.#options().json === true;
  }

  /** Where the server is. */
  get url(): string {
    return serverUrl(this.#options(), this.house.environment);
  }

  /** The operator's client. */
  operator(): Client {
    return this.#client(operatorToken(this.#options(), this.house.environment));
  }

  /** The client of the customer whose API key it is. */
  customer(): Client {
    return this.#client(customerKey(this.#options(), this.house.environment));
  }

  /**
   * Work that Ctrl-C ends with `Interrupted`: without a listener it would end the process in the middle of a line, with
   * another code, and before anybody is told what is left open.
   */
  async interruptible<Result>(work: () => Promise<Result>): Promise<Result> {
    const interrupt = (): void => this.end(new Interrupted("ended with Ctrl-C"));
    process.on("SIGINT", interrupt);
    try {
      return await work();
    } finally {
      process.off("SIGINT", interrupt);
    }
  }

  /** Waits; throws the reason when the command is to end before. */
  async pause(waitMs: number): Promise<void> {
    const { signal } = this.#ending;
    await setTimeout(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  /** Ends whatever runs; it then throws the reason. */
  end(reason: Error): void {
    this.#ending.abort(reason);
  }

  /** The answer as one JSON document, or as text for people. */
  async show<Answer>(answer: Answer, text: (answer: Answer) => string): Promise<void> {
    await this.print(this.isJson ? `${JSON.stringify(answer, null, 2)}\n` : text(answer));
  }

  /** Much of it is foreign: a terminal gets what it cannot obey, a file or a pipe gets the text as it is. */
  async print(text: string): Promise<void> {
    const { standardOutput } = this.house;
    await written(standardOutput, standardOutput.isTTY === true ? harmless(text) : text);
    this.#ending.signal.throwIfAborted();
  }

  /** What is not the answer itself goes to standard error. */
  async note(text: string): Promise<void> {
    await written(this.house.standardError, text);
  }

  #client({ secret, origin }: Credential): Client {
    this.#sent = origin;
    return createClient({ baseUrl: this.url, token: secret, signal: this.#ending.signal });
  }
}

/** A reader that left wants no more. A full disk is a failure: what was asked for is not there. */
function outputFailure(error: NodeJS.ErrnoException): Error {
  if (error.code === "EPIPE") return new OutputClosed("nobody reads any more", { cause: error });
  return new Error(`The output was not written: ${error.message}`, { cause: error });
}

/** Resolves when the text is handed over, so that nothing is lost when the process ends; errors are the stream's to tell. */
function written(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (text === "") resolve();
    else stream.write(text, () => resolve());
  });
}
