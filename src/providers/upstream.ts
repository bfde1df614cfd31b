import { systemClock } from "../core/clock.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { ConnectionPool } from "./connection-pools.ts";
import type { PoolSettings } from "./connection-pools.ts";
import { OpenExchange } from "./exchange.ts";
import type { Exchange, Receiver } from "./exchange.ts";
import type { UpstreamTimeouts } from "./stage-timer.ts";
import { readBaseUrl, requestHeaders, requestTarget } from "./upstream-address.ts";
import type { BaseAddress } from "./upstream-address.ts";
import { wear } from "./credentials.ts";
import { gather } from "./gather.ts";
import { ServiceAccount } from "./service-account.ts";
import type { Credential } from "./credentials.ts";

export type { Credential } from "./credentials.ts";
export type { Exchange, Receiver } from "./exchange.ts";
export type { UpstreamTimeouts } from "./stage-timer.ts";
export type { UpstreamFailure, UpstreamStage } from "./upstream-failure.ts";

/** A provider's address and what opens its door. The credential goes to this address's origin and nowhere else. */
export type Connection = { readonly baseUrl: string; readonly credential: Credential | undefined };

/** `path` is appended to the connection's base address and may have a query. */
export type UpstreamRequest = {
  /** Default: POST. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
};

export type UpstreamCall = {
  readonly connection: Connection;
  readonly request: UpstreamRequest;
  /** Where they differ from the usual ones. */
  readonly timeouts?: Partial<UpstreamTimeouts> | undefined;
  /** Decoded bytes of the answer that are accepted. Default: 64 MiB, for event streams 1 GiB. */
  readonly maxBytes?: number | undefined;
  /**
   * On a new connection that is used for nothing else. One that was idle may be closing already, and of a request that
   * meets the close nobody knows whether the provider took it: for what may not be sent twice.
   */
  readonly ownConnection?: boolean | undefined;
};

/**
 * The only way to a provider. Sends a request and hands on the answer as it arrives; retries nothing, follows no
 * redirect, judges no status.
 */
export type Upstream = {
  /** Throws `TypeError` for an address, path or header that could carry the credential elsewhere. */
  send(call: UpstreamCall, receiver: Receiver): Exchange;
  /**
   * Makes the connection's credential ready to be worn, where a token has to be asked for first. To be awaited before
   * `send`; rejects when there is none to be had.
   */
  ready(connection: Connection): Promise<void>;
  /** Ends what is open as `aborted` and closes every socket. */
  stop(): Promise<void>;
};

export type UpstreamSettings = {
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly log: Log;
  readonly clock?: Clock;
  readonly connections?: number;
  readonly maxQueued?: number;
};

export const defaultTimeouts: UpstreamTimeouts = {
  connectMs: 3_000,
  firstByteMs: 60_000,
  idleMs: 60_000,
  totalMs: 900_000,
};

export function createUpstream(settings: UpstreamSettings): Upstream {
  return new PooledUpstream(settings);
}

class PooledUpstream implements Upstream {
  readonly #timeouts: UpstreamTimeouts;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #poolSettings: PoolSettings;
  /** Base URLs come from the configuration, so these maps stay small. */
  readonly #addresses = new Map<string, BaseAddress>();
  readonly #pools = new Map<string, ConnectionPool>();
  /** Of connections that are used once. */
  readonly #ownPools = new Map<string, ConnectionPool>();
  #stopped = false;

  constructor(settings: UpstreamSettings) {
    this.#timeouts = { ...defaultTimeouts, ...settings.timeouts };
    this.#log = settings.log;
    this.#clock = settings.clock ?? systemClock;
    this.#poolSettings = { connections: settings.connections ?? 256, maxQueued: settings.maxQueued ?? 1_024 };
  }

  send(call: UpstreamCall, receiver: Receiver): Exchange {
    const { connection, request } = call;
    const address = this.#addressOf(connection.baseUrl);
    const { method = "POST", body } = request;
    const worn = wear(connection.credential, {
      method,
      host: address.host,
      target: requestTarget(address, request.path),
      body,
      now: this.#clock.now(),
    });
    const options = {
      path: worn.target,
      method,
      headers: requestHeaders(request.headers, worn.headers, body !== undefined),
      body: body ?? null,
      reset: call.ownConnection === true,
    };
    return new OpenExchange({
      pool: this.#poolOf(address.origin, options.reset ? this.#ownPools : this.#pools),
      options,
      receiver,
      timeouts: call.timeouts === undefined ? this.#timeouts : { ...this.#timeouts, ...call.timeouts },
      maxBytes: call.maxBytes,
      clock: this.#clock,
      log: this.#log,
    });
  }

  async ready({ credential }: Connection): Promise<void> {
    if (!(credential instanceof ServiceAccount)) return;
    if (credential.tokenAt(this.#clock.now()) !== undefined) return;
    credential.renewing ??= this.#renew(credential).finally(() => (credential.renewing = undefined));
    await credential.renewing;
  }

  async #renew(account: ServiceAccount): Promise<void> {
    const now = this.#clock.now();
    const { origin, pathname } = account.tokenUrl;
    const answer = await gather(this, {
      connection: { baseUrl: origin, credential: undefined },
      request: {
        path: pathname,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: account.exchangeForm(now),
      },
      maxBytes: 64 * 1024,
    });
    if (answer.status !== 200) throw new Error(`a token was refused with status ${answer.status}`);
    account.take(JSON.parse(answer.bytes.toString("utf8")), now);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const pools = [...this.#pools.values(), ...this.#ownPools.values()];
    await Promise.all(pools.map((pool) => pool.stop()));
  }

  #addressOf(baseUrl: string): BaseAddress {
    let address = this.#addresses.get(baseUrl);
    if (address === undefined) {
      address = readBaseUrl(baseUrl);
      this.#addresses.set(baseUrl, address);
    }
    return address;
  }

  #poolOf(origin: string, pools: Map<string, ConnectionPool>): ConnectionPool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = new ConnectionPool(origin, this.#poolSettings);
      pools.set(origin, pool);
      if (this.#stopped) void pool.stop();
    }
    return pool;
  }
}
