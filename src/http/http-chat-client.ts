import type { ServerResponse } from "node:http";
import type { AnswerHeaders, ChatClient } from "../calls/chat-client.ts";
import type { Problem } from "../core/problems.ts";
import { sendJson, sendProblem } from "./render.ts";

export type HttpChatSettings = {
  readonly requestId: string;
  /** How long a client may refuse to read what is left of a finished answer. */
  readonly stalledClientMs: number;
};

/**
 * The customer's end of a chat call over HTTP. What comes after the client has gone is written all the same: it reaches
 * nobody, but whoever keeps the answer for a repeated request needs all of it.
 */
export class HttpChatClient implements ChatClient {
  readonly #response: ServerResponse;
  readonly #requestId: string;
  readonly #stalledClientMs: number;

  constructor(response: ServerResponse, { requestId, stalledClientMs }: HttpChatSettings) {
    this.#response = response;
    this.#requestId = requestId;
    this.#stalledClientMs = stalledClientMs;
    // A reset of the connection is told by `close`.
    response.on("error", () => undefined);
  }

  get gone(): boolean {
    return this.#response.destroyed && !this.#response.writableFinished;
  }

  onGone(listener: () => void): void {
    if (this.gone) {
      listener();
      return;
    }
    this.#response.on("close", () => {
      if (!this.#response.writableFinished) listener();
    });
  }

  answer(headers: AnswerHeaders, body: string): void {
    sendJson(this.#response, { status: 200, requestId: this.#requestId, headers }, body);
    // Mostly the system took all of it at once: then there is nothing to watch.
    const { socket } = this.#response;
    if (socket === null || socket.writableLength > 0) this.#closeWhenStalled();
  }

  refuse(problem: Problem, headers: AnswerHeaders): void {
    sendProblem(this.#response, { requestId: this.#requestId, problem, headers });
  }

  startStream(headers: AnswerHeaders): void {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      "x-request-id": this.#requestId,
      ...headers,
    });
  }

  write(frames: string, encoding: "latin1" | "utf8"): boolean {
    const keepsUp = this.#response.write(frames, encoding);
    return this.gone || keepsUp;
  }

  onDrain(listener: () => void): void {
    this.#response.on("drain", listener);
  }

  endStream(frames: string, encoding: "latin1" | "utf8"): void {
    this.#closeWhenStalled();
    this.#response.end(frames, encoding);
  }

  drop(): void {
    this.#response.destroy();
  }

  /** Nobody watches a call that is over: node:http closes a connection that makes no progress for so long. */
  #closeWhenStalled(): void {
    this.#response.setTimeout(this.#stalledClientMs);
  }
}
