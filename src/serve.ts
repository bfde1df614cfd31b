import type { Config } from "./config.ts";
import type { Log } from "./core/log.ts";
import { ensureStarter, owner } from "./starter.ts";
import { firstScreen, startedAs } from "./first-screen.ts";
import type { Screen } from "./first-screen.ts";
import { listenFault } from "./start-faults.ts";
import { buildHouse } from "./wiring.ts";
import type { House } from "./wiring.ts";

export type ServeOptions = {
  /** Makes and shows the starter account. */
  readonly starter: boolean;
  readonly quiet: boolean;
  /** One line of JSON instead of the screen. */
  readonly json: boolean;
};

/** Starts the server and resolves with the exit code when it was told to stop and has stopped. */
export async function serve(config: Config, log: Log, options: ServeOptions): Promise<number> {
  const house = await buildHouse(config, log);
  const secrets = options.starter ? await ensureStarter(house) : {};
  const account = (await house.accounts.named(owner)) ?? (await house.accounts.list(1))[0];
  // Before anybody can know that it runs: a signal that comes at once is obeyed like a later one.
  const stopping = askedToStop();
  const url = await listen(house, config);
  console.log(greeting({ url, house, config, secrets, account }, options));
  await stopping;
  log.info({ open_calls: house.chat.openCalls.count }, "shutting down");
  endAtTheLatest(log, config);
  await shutDown(house, config);
  return 0;
}

function greeting(screen: Screen, { json, quiet }: ServeOptions): string {
  if (json) return JSON.stringify(startedAs(screen));
  return quiet ? `SkillBoss listens on ${screen.url}` : firstScreen(screen);
}

/** Opens the doors; resolves with the base URL, in which port 0 has become the one that was free. */
export async function listen(house: House, config: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    house.server.once("error", (error) => reject(listenFault(error, config)));
    house.server.listen({ port: config.port, host: config.host, backlog: 4096 }, resolve);
  });
  const address = house.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.port;
  return `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}`;
}

/** The first signal begins the shutdown; a second one ends the process at once. */
function askedToStop(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(1);
        isStopping = true;
        resolve();
      });
    }
  });
}

/** What the parts may take to end, over the time that calls have to. */
const partsEndWithinMs = 30_000;

/** Whatever hangs, a server that was told to stop ends: the next start goes on from what is in the database. */
function endAtTheLatest(log: Log, { drainTimeoutMs }: Config): void {
  setTimeout(() => {
    log.error({ kept_by: process.getActiveResourcesInfo() }, "a part did not stop in time: ended without it");
    process.exit(1);
  }, drainTimeoutMs + partsEndWithinMs).unref();
}

/**
 * No new calls; the running ones end by themselves, or are cut and settled as delivered when the time is up. Their
 * answers are sent to the end, as long as that time lasts. Idle connections go at once.
 */
export async function shutDown(house: House, config: Config): Promise<void> {
  house.chat.openCalls.close();
  const closed = new Promise((resolve) => house.server.close(resolve));
  const timeIsUp = new Promise<void>((resolve) => setTimeout(resolve, config.drainTimeoutMs).unref());
  const cut = setTimeout(() => house.chat.openCalls.cutAll(), config.drainTimeoutMs);
  await house.chat.openCalls.whenEmpty();
  clearTimeout(cut);
  await Promise.race([house.connections.whenSent(), timeIsUp]);
  house.server.closeIdleConnections();
  // Whoever holds a connection open without a call, or does not read what we send, is not waited for.
  const goodbye = setTimeout(() => house.server.closeAllConnections(), 500);
  await closed;
  clearTimeout(goodbye);
  await house.stop();
}
