import type { Problem } from "../core/problems.ts";

export type AnswerHeaders = Readonly<Record<string, string>>;

/** The customer's end of a chat call, as the door hands it in. One of `answer` and `startStream` is called, once. */
export type ChatClient = {
  /** The connection is gone: nothing that is written reaches anybody. */
  readonly gone: boolean;
  /** Called at most once, when the connection goes before the answer ended; at once when it is gone already. */
  onGone(listener: () => void): void;
  /** The whole answer. */
  answer(headers: AnswerHeaders, body: string): void;
  refuse(problem: Problem, headers: AnswerHeaders): void;
  startStream(headers: AnswerHeaders): void;
  /** False: the client reads slower than we write; wait for `onDrain`. */
  write(frames: string, encoding: "latin1" | "utf8"): boolean;
  onDrain(listener: () => void): void;
  endStream(frames: string, encoding: "latin1" | "utf8"): void;
  /** Gives up on a client that does not read. */
  drop(): void;
};
