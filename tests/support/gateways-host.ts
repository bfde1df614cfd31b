/** The program in which `gateway.ts` runs gateways: told over its channel to start and to end them. */
import { readConfig } from "../../src/config.ts";
import { standardLog } from "../../src/logging.ts";
import { providerFaults } from "../../src/provider-faults.ts";
import { listen, shutDown } from "../../src/serve.ts";
import { buildHouse } from "../../src/wiring.ts";

export type Order = { readonly gateway: number } & (
  | { readonly do: "start"; readonly environment: Readonly<Record<string, string | undefined>> }
  | { readonly do: "stop" | "abandon" }
);

export type Report = { readonly gateway: number } & (
  | { readonly url: string }
  | { readonly fault: string }
  | { readonly line: string }
  | { readonly stopped: true }
);

type Running = { stop(): Promise<void>; abandon(): void };

const running = new Map<number, Running>();

process.on("message", (order: Order) => {
  void obey(order).catch((error: unknown) => {
    report({ gateway: order.gateway, fault: error instanceof Error ? (error.stack ?? "") : String(error) });
  });
});
// Its only reason to be is gone.
process.on("disconnect", () => process.exit());

function report(told: Report): void {
  process.send?.(told);
}

async function obey(order: Order): Promise<void> {
  const { gateway } = order;
  if (order.do === "start") return start(gateway, order.environment);
  const known = running.get(gateway);
  if (known === undefined) throw new Error(`there is no gateway ${gateway}`);
  if (order.do === "abandon") known.abandon();
  await known.stop();
  report({ gateway, stopped: true });
}

async function start(
  gateway: number,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const config = readConfig(environment, providerFaults);
  const log = standardLog(config.logLevel, { write: (line) => report({ gateway, line }) });
  const house = await buildHouse(config, log);
  let stopped: Promise<void> | undefined;
  running.set(gateway, {
    stop: () => (stopped ??= shutDown(house, config)),
    abandon() {
      house.chat.openCalls.cutAll();
      house.server.closeAllConnections();
    },
  });
  report({ gateway, url: await listen(house, config) });
}
