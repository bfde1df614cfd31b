import { gatewayApi } from "./gateway-api.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { prepare } from "./gateway-settings.ts";
import type { GatewayOptions } from "./gateway-settings.ts";

export type Gateway = GatewayApi & {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  readonly token: string;
  readonly log: () => string;
  /** As SIGTERM; resolves with the exit code, which is null when it had to be killed because it did not end. */
  stop(): Promise<number | null>;
  /** Ends it at once, whatever it does, so that it keeps nothing alive. */
  abandon(): void;
};

/**
 * A real gateway in the test's own process: the house that `skillboss serve` builds, on a port of its own, over HTTP as
 * any other. It starts in a fifth of the time. Whoever kills it, measures its memory or needs to know that it is a process
 * of its own takes `gateway-process.ts`.
 */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const prepared = await prepare(options);
  if (prepared.environment["NODE_OPTIONS"] !== undefined)
    throw new Error("NODE_OPTIONS are for a gateway in a process of its own");
  // Loaded when needed: most of those who import a type from here start no gateway.
  const { readConfig } = await import("../../src/config.ts");
  const { providerFaults } = await import("../../src/provider-faults.ts");
  const { standardLog } = await import("../../src/logging.ts");
  const { buildHouse } = await import("../../src/wiring.ts");
  const { listen, shutDown } = await import("../../src/serve.ts");
  let log = "";
  const config = readConfig(prepared.environment, providerFaults);
  const house = await buildHouse(
    config,
    standardLog(config.logLevel, { write: (line) => void (log += line) }),
  );
  const url = await listen(house, config);
  const token = prepared.token();
  let stopped: Promise<number> | undefined;
  const shutDownOnce = async (): Promise<number> => {
    await shutDown(house, config);
    await prepared.clearAway();
    return 0;
  };
  const stop = (): Promise<number> => (stopped ??= shutDownOnce());
  return {
    ...gatewayApi(url, token),
    url,
    token,
    stop,
    port: Number(new URL(url).port),
    directory: prepared.directory,
    log: () => log,
    abandon() {
      house.chat.openCalls.cutAll();
      house.server.closeAllConnections();
      stop().catch(() => undefined);
    },
  };
}
