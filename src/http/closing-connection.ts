import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { closingAnswer, sendProblem } from "./render.ts";
import type { Refusal } from "./render.ts";

/** How long a client may take to read its refusal. */
const lingerMs = 1_000;

const closing = new WeakSet<Socket>();

/** Whether the last answer of this connection is given: nothing that still comes on it is served. */
export function isClosing(socket: Socket): boolean {
  return closing.has(socket);
}

/**
 * Answers a request whose rest is not wanted, and closes the connection. What still comes is thrown away for a moment:
 * closing over unread bytes resets the connection, and the reset can overtake the answer.
 */
export function refuseAndClose(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { socket } = request;
  if (response.socket === null) {
    // An earlier answer on this connection is still going out; node:http keeps the order.
    closing.add(socket);
    response.setHeader("connection", "close");
    sendProblem(response, refusal);
    return;
  }
  closeWith(socket, { ...refusal, isHeadOnly: request.method === "HEAD" });
  request.resume();
}

/** Says what is wrong on the bare connection, then ends it. */
export function closeWith(socket: Socket, refusal: Refusal): void {
  closing.add(socket);
  socket.end(closingAnswer(refusal));
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** The same behind an answer that is still going out. Until then nothing more is read. */
export function closeBehind(response: ServerResponse, socket: Socket, refusal: Refusal): void {
  closing.add(socket);
  socket.pause();
  response.once("close", () => {
    // It may have been the last by its own headers.
    if (!socket.writable) return;
    closeWith(socket, refusal);
    socket.resume();
  });
}
