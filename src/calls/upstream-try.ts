import type { Receiver, UpstreamFailure, UpstreamTimeouts } from "../providers/upstream.ts";
import { withType } from "../providers/foreign-text.ts";
import type { AnswerView, UpstreamFault, UpstreamHeaders, WireRequest } from "../providers/wire.ts";
import { Problem } from "../core/problems.ts";
import type { Attempt } from "../routing/first-that-answers.ts";
import type { Line } from "./chat-house.ts";
import { failedByFault } from "./upstream-problems.ts";

/** One offer about to be tried. */
export type Try = {
  readonly line: Line;
  readonly request: WireRequest;
  readonly view: AnswerView;
  readonly timeouts?: Partial<UpstreamTimeouts> | undefined;
};

/** What became of members that could not be sent as they are. */
export type Left = Pick<WireRequest, "dropped" | "changed">;

export const nothingLeft: Left = { dropped: [] };

/** Of an error answer no more is read than this. */
const mostErrorBytes = 64 * 1024;

/** A try that ended for a reason of ours: the client left, or this process is going. Nobody else is asked. */
export const endedByUs = {
  state: "failed",
  problem: new Problem("shutting_down"),
  tryNext: false,
  tryAgain: false,
  unhealthy: false,
} as const;

/** What both kinds of answer share: the status decides between an answer to translate and a refusal to read. */
export abstract class AnswerReader<Answer> implements Receiver {
  protected readonly tried: Try;
  #tell: ((attempt: Attempt<Answer>) => void) | undefined;
  readonly #refusal: Buffer[] = [];
  #refusalBytes = 0;
  #status = 0;
  #headers: UpstreamHeaders = {};
  /** Settles once: the answer, or why there is none. */
  readonly attempt: Promise<Attempt<Answer>>;

  constructor(tried: Try) {
    this.tried = tried;
    const { promise, resolve } = Promise.withResolvers<Attempt<Answer>>();
    this.attempt = promise;
    this.#tell = resolve;
  }

  /** What was left out of the customer's request, or changed in it. */
  get left(): Left {
    return this.tried.request;
  }

  /** As the customer asked for it. */
  protected get model(): string {
    return this.tried.view.model;
  }

  onHead(status: number, headers: UpstreamHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onBytes(bytes: Buffer): boolean {
    if (this.#status >= 200 && this.#status < 300) return this.onAnswerBytes(bytes);
    this.#refusalBytes += bytes.length;
    if (this.#refusalBytes <= mostErrorBytes) this.#refusal.push(bytes);
    return true;
  }

  onEnd(): void {
    if (this.#status >= 200 && this.#status < 300) this.onAnswerEnd();
    else
      this.tell(
        failedByFault(
          this.tried.line.wire.fault(this.#status, this.#headers, Buffer.concat(this.#refusal)),
          this.model,
        ),
      );
  }

  /** What cannot be read is told with the type that it claims to have. */
  protected described(fault: UpstreamFault): UpstreamFault {
    return fault.kind === "unreadable" ? { ...fault, detail: withType(fault.detail, this.#headers) } : fault;
  }

  abstract onFailure(failure: UpstreamFailure): void;
  protected abstract onAnswerBytes(bytes: Buffer): boolean;
  protected abstract onAnswerEnd(): void;

  /** The first telling counts. */
  protected tell(attempt: Attempt<Answer>): void {
    this.#tell?.(attempt);
    this.#tell = undefined;
  }
}
