import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { newId } from "../core/ids.ts";
import { Problem } from "../core/problems.ts";
import { hasOwnPace } from "./arriving-bytes.ts";
import { closeBehind, closeWith, isClosing, refuseAndClose } from "./closing-connection.ts";

type Running = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** The last request of each connection whose answer is not at its end; the answers of earlier ones end before it. */
const running = new WeakMap<Socket, Running>();

/** To be called with every request, so that what comes broken behind it waits for its answer. */
export function watchAnswer(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  const last = { request, response };
  running.set(socket, last);
  // A connection that idles must not keep all that was said on it in memory.
  response.on("close", () => {
    if (running.get(socket) === last) running.delete(socket);
  });
}

/**
 * What the parser of node:http refuses never becomes a request; it still gets an answer in our form, behind the answers
 * to what came before it.
 */
export function refuseBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (isClosing(socket)) return;
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const last = running.get(socket);
  const problem = brokenRequest(error.code);
  if (problem.code === "request_timeout" && last !== undefined && isReadAtOwnPace(last.request)) return;
  const refusal = { requestId: newId("req"), problem };
  if (last === undefined) closeWith(socket, refusal);
  else if (last.request.complete || last.response.headersSent) closeBehind(last.response, socket, refusal);
  // The broken part is its own body.
  else refuseAndClose(last.request, last.response, refusal);
}

function isReadAtOwnPace(request: IncomingMessage): boolean {
  return hasOwnPace(request) && !request.complete;
}

function brokenRequest(code: string | undefined): Problem {
  if (code === "HPE_HEADER_OVERFLOW") return new Problem("headers_too_large");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new Problem("request_timeout");
  return new Problem("invalid_request", { message: "This is not a valid HTTP request." });
}
