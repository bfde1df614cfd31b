import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { gatewayApi } from "./gateway-api.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { prepare, startWithinMs, stopWithinMs } from "./gateway-settings.ts";
import type { GatewayOptions } from "./gateway-settings.ts";
import type { Order, Report } from "./gateways-host.ts";

export type Gateway = GatewayApi & {
  readonly directory: string;
  readonly log: () => string;
  /** As SIGTERM; resolves with the exit code, which is null when it had to be killed because it did not end. */
  stop(): Promise<number | null>;
  /** Ends it at once, whatever it does, so that it keeps nothing alive. */
  abandon(): void;
};

/**
 * A real gateway: the house that `skillboss serve` builds, with a port, a folder and a database of its own. All gateways
 * of one test process are built in one other process, whose code is loaded and warm after the first. Whoever kills a
 * gateway, measures its memory or needs to know that it is a process of its own takes `gateway-process.ts`.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const prepared = await prepare(options);
  if (prepared.environment["NODE_OPTIONS"] !== undefined)
    throw new Error("NODE_OPTIONS are for a gateway in a process of its own");
  const number = (hosted += 1);
  const child = (host ??= startHost());
  let log = "";
  logs.set(number, (line) => (log += line));
  const start: Order = { gateway: number, do: "start", environment: prepared.environment };
  const url = await ordered(child, start, startWithinMs);
  return {
    ...gatewayApi(url, prepared.token()),
    directory: prepared.directory,
    log: () => log,
    async stop() {
      const code = await ordered(child, { gateway: number, do: "stop" }, stopWithinMs).then(
        () => 0,
        () => null,
      );
      if (code === null) child.kill("SIGKILL");
      await prepared.clearAway();
      return code;
    },
    abandon: () =>
      void ordered(child, { gateway: number, do: "abandon" }, stopWithinMs).catch(() => undefined),
  };
}

let hosted = 0;
let host: ChildProcess | undefined;
const logs = new Map<number, (line: string) => void>();
type Waiting = { readonly gateway: number; told(url: string): void; failed(error: Error): void };
const waiting = new Set<Waiting>();

/** Resolves when it is done: with the URL of a gateway that was started, else with nothing. Rejects where the host is gone. */
function ordered(child: ChildProcess, order: Order, withinMs: number): Promise<string> {
  if (!child.connected) return Promise.reject(new Error("the host of this gateway has ended"));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const one: Waiting = { gateway: order.gateway, told: resolve, failed: reject };
  const tooLate = () => reject(new Error(`${order.do} took the gateway more than ${withinMs} ms`));
  const timer = setTimeout(tooLate, withinMs);
  waiting.add(one);
  child.channel?.ref();
  child.send(order);
  return promise.finally(() => {
    clearTimeout(timer);
    waiting.delete(one);
    if (waiting.size === 0) child.channel?.unref();
  });
}

function startHost(): ChildProcess {
  const child = fork(join(import.meta.dirname, "gateways-host.ts"), {
    execArgv: [],
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] },
  });
  // It ends with this process, and must not keep it alive.
  child.unref();
  child.on("message", (told: Report) => {
    if ("line" in told) return logs.get(told.gateway)?.(told.line);
    for (const one of waiting) {
      if (one.gateway !== told.gateway) continue;
      if ("fault" in told) one.failed(new Error(told.fault));
      else one.told("url" in told ? told.url : "");
    }
    return undefined;
  });
  child.on("exit", (code, signal) => {
    host = undefined;
    for (const one of waiting) one.failed(new Error(`the host of the gateways ended: ${code ?? signal}`));
  });
  return child;
}
