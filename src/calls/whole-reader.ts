import { Problem } from "../core/problems.ts";
import type { Exchange, Upstream, UpstreamFailure } from "../providers/upstream.ts";
import { UnreadableAnswer } from "../providers/wire.ts";
import type { WholeAnswer } from "../providers/wire.ts";
import type { Attempt } from "../routing/first-that-answers.ts";
import { failedByConnection, failedByFault } from "./upstream-problems.ts";
import { AnswerReader, endedByUs } from "./upstream-try.ts";

/** Whole answers above this are refused rather than gathered. */
const mostAnswerBytes = 32 * 1024 * 1024;

/** One try for a whole answer. */
export class WholeReader extends AnswerReader<WholeAnswer> {
  #parts: Buffer[] = [];
  #sizeBytes = 0;
  #exchange: Exchange | undefined;

  start(upstream: Upstream): this {
    const { line, request, timeouts } = this.tried;
    this.#exchange = upstream.send({ connection: line.connection, request, timeouts }, this);
    return this;
  }

  abort(): void {
    this.#exchange?.abort();
    this.tell(endedByUs);
  }

  override onFailure(failure: UpstreamFailure): void {
    this.tell(failedByConnection(failure, this.model));
  }

  protected override onAnswerBytes(bytes: Buffer): boolean {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes <= mostAnswerBytes) {
      this.#parts.push(bytes);
      return true;
    }
    this.#parts = [];
    this.#exchange?.abort();
    this.tell(
      failedByFault(
        { kind: "unreadable", detail: `an answer of more than ${mostAnswerBytes} bytes` },
        this.model,
      ),
    );
    return true;
  }

  protected override onAnswerEnd(): void {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.tell(this.#read(bytes));
  }

  #read(bytes: Buffer): Attempt<WholeAnswer> {
    const { line, view } = this.tried;
    try {
      return { state: "answered", answer: line.wire.whole(bytes, view, line.target) };
    } catch (error) {
      if (error instanceof UnreadableAnswer) return failedByFault(this.described(error.fault), this.model);
      return { ...endedByUs, problem: new Problem("internal_error", { cause: error }) };
    }
  }
}
