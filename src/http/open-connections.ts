import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The connections of a server, so that a shutdown closes none under an answer that is still being sent. */
export type OpenConnections = {
  /** Resolves when the last answer was handed to the operating system, or its client left. */
  whenSent(): Promise<void>;
};

type Connection = {
  /** Answers that are not sent to their end. */
  unsent: number;
  /** False for a new one: its first request may be on its way. */
  wasUsed: boolean;
};

/**
 * Takes the place of the server's own idea of an idle connection, which is one whose answer was written, if only to
 * memory: `close` would cut off what a slow client has yet to read.
 */
export function openConnectionsOf(server: Server): OpenConnections {
  const connections = new Map<Socket, Connection>();
  let unsent = 0;
  let waiting: (() => void)[] = [];

  server.on("connection", (socket: Socket) => {
    connections.set(socket, { unsent: 0, wasUsed: false });
    socket.once("close", () => connections.delete(socket));
  });
  const take = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.wasUsed = true;
    connection.unsent += 1;
    unsent += 1;
    response.on("close", () => {
      connection.unsent -= 1;
      unsent -= 1;
      if (unsent > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    });
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, take);
  server.closeIdleConnections = () => {
    for (const [socket, { unsent: own, wasUsed }] of connections) if (wasUsed && own === 0) socket.destroy();
  };
  return {
    whenSent: () => (unsent === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
