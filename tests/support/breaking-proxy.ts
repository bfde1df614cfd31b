import { once } from "node:events";
import net from "node:net";

/**
 * How a connection breaks: `asked` as soon as the request is on its way, `answered` when the answer begins, before any of
 * it is passed on, `midway` in the middle of its first part.
 */
export type Break = "asked" | "answered" | "midway";

/** Passes connections on to a port of this machine, and resets the next one that it is told to. */
export type BreakingProxy = {
  readonly url: string;
  /** The next connections break in these ways, in this order; those that follow do not. */
  breakNext(...ways: readonly Break[]): void;
  /** How many connections broke so far. */
  broken(): number;
  stop(): Promise<void>;
};

export async function startBreakingProxy(port: number): Promise<BreakingProxy> {
  const planned: Break[] = [];
  const sockets = new Set<net.Socket>();
  let broken = 0;
  const server = net.createServer({ noDelay: true }, (client) => {
    const target = net.connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
    const way = planned.shift();
    const cut = (): void => {
      broken += 1;
      client.resetAndDestroy();
    };
    client.on("data", (bytes) => {
      target.write(bytes);
      // Once the gateway has it.
      if (way === "asked") setTimeout(cut, 20);
    });
    target.on("data", (bytes) => {
      if (client.destroyed) return;
      if (way === "answered") cut();
      else if (way === "midway") client.write(bytes.subarray(0, bytes.length / 2), cut);
      else client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy does not listen on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    breakNext: (...ways) => void planned.push(...ways),
    broken: () => broken,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
