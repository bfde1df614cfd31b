import type { Socket } from "node:net";
import { Client, Pool, buildConnector } from "undici";
import type { Dispatcher, buildConnector as Connecting } from "undici";

export type PoolSettings = {
  /** Sockets to one origin at most; each carries one exchange at a time. */
  readonly connections: number;
  /** Exchanges that may wait for a free socket of one origin. */
  readonly maxQueued: number;
};

/** Headers of an answer above this are refused: 64 KB. */
const maxHeadersBytes = 65_536;
/** Unused sockets are kept this long unless the provider announces less. */
const idleSocketMs = 30_000;
const longestIdleSocketMs = 60_000;

/** The socket of one lane, as far as undici does not tell of it or cannot give it up. */
export class Dial {
  #socket: Socket | undefined;
  #connecting = false;

  began(socket: Socket | undefined): void {
    this.#socket = socket;
    this.#connecting = true;
  }

  ended(): void {
    this.#connecting = false;
  }

  /** Closes the socket if it is still connecting; an established one is left alone. */
  hangUp(): void {
    if (!this.#connecting) return;
    this.#connecting = false;
    this.#socket?.destroy(new Error("connecting was given up"));
  }

  /** True when the connection ended by an error and not by a proper close. */
  get broke(): boolean {
    return (this.#socket?.errored ?? null) !== null;
  }
}

/** A handler that learns which dial it waits for, or says false because it no longer wants to go. */
export type Passenger = Dispatcher.DispatchHandler & { board(dial: Dial): boolean };

/** All sockets to one origin. There is no way to reach another origin through it. */
export class ConnectionPool {
  readonly #pool: Pool;
  readonly #dials = new Set<Dial>();
  readonly #capacity: number;
  #held = 0;

  constructor(origin: string, settings: PoolSettings) {
    this.#capacity = settings.connections + settings.maxQueued;
    const connector = buildConnector({ allowH2: false, timeout: 0, autoSelectFamily: true });
    this.#pool = new Pool(origin, {
      connections: settings.connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: idleSocketMs,
      keepAliveMaxTimeout: longestIdleSocketMs,
      maxHeaderSize: maxHeadersBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      factory: (address, options) => this.#lane(address, options, connector),
    });
  }

  /** Takes one of the places for open and waiting exchanges; false when all are taken. */
  reserve(): boolean {
    if (this.#held >= this.#capacity) return false;
    this.#held += 1;
    return true;
  }

  /** Gives the place back, once undici holds nothing of the exchange any more. */
  release(): void {
    this.#held -= 1;
  }

  dispatch(options: Dispatcher.DispatchOptions, passenger: Passenger): void {
    this.#pool.dispatch(options, passenger);
  }

  /** Ends every exchange and closes every socket. */
  async stop(): Promise<void> {
    const destroyed = this.#pool.destroy();
    for (const dial of this.#dials) dial.hangUp();
    await destroyed;
  }

  #lane(origin: URL, options: object, connector: Connecting.connector): Client {
    const dial = new Dial();
    const connect: Connecting.connector = (to, callback) => {
      this.#dials.add(dial);
      const socket: unknown = connector(to, (...outcome) => {
        dial.ended();
        this.#dials.delete(dial);
        callback(...outcome);
      });
      dial.began(isSocket(socket) ? socket : undefined);
    };
    return new Lane(origin, { ...options, connect }, dial);
  }
}

/**
 * One socket's place in the pool; tells a passenger whom to call off while it still connects. For a passenger that
 * was aborted in the pool's queue nothing is connected, and true tells the pool that the place is still free.
 */
class Lane extends Client {
  readonly #dial: Dial;

  constructor(origin: URL, options: Client.Options, dial: Dial) {
    super(origin, options);
    this.#dial = dial;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isPassenger(handler) && !handler.board(this.#dial)) return true;
    return super.dispatch(options, handler);
  }
}

function isPassenger(handler: Dispatcher.DispatchHandler): handler is Passenger {
  return "board" in handler && typeof handler.board === "function";
}

/** undici's connector returns its socket, though its types keep silent about it. */
function isSocket(value: unknown): value is Socket {
  return typeof value === "object" && value !== null && "destroy" in value;
}
