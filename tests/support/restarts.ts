import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { TestContext } from "node:test";
import { startFakeUpstream } from "./fake-upstream.ts";
import type { FakeUpstream } from "./fake-upstream.ts";
import { startGatewayProcess } from "./gateway-process.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { GatewayOptions } from "./gateway-settings.ts";
import { startPostgres } from "./postgres.ts";
import { perMillion } from "./priced-usage.ts";

export const homes = ["the embedded database", "PostgreSQL"] as const;
export type Home = (typeof homes)[number];

/** A place where gateways are started one after the other, on the same data directory and database. */
export type Place = {
  readonly upstream: FakeUpstream;
  readonly databaseUrl: string | undefined;
  /** `m-long` costs what `m-chat` does and may answer ten million tokens. */
  readonly start: (environment?: Readonly<Record<string, string>>) => Promise<GatewayProcess>;
  /** The next start after an orderly end: from its first moment on nothing is on hold, and every book adds up. */
  readonly startClean: () => Promise<GatewayProcess>;
};

/** Runs the check on such a place, and ends and removes all of it; skips where there is no PostgreSQL. */
export async function onHome(
  home: Home,
  t: TestContext,
  check: (place: Place) => Promise<void>,
): Promise<void> {
  const postgres = home === "PostgreSQL" ? await startPostgres() : undefined;
  if (postgres !== undefined && "skipped" in postgres) {
    t.skip(postgres.skipped);
    return;
  }
  const databaseUrl = await postgres?.freshDatabase();
  const upstream = await startFakeUpstream();
  const started: GatewayProcess[] = [];
  t.after(async () => {
    for (const gateway of started) gateway.process.kill("SIGKILL");
    await upstream.stop();
    for (const { directory } of started) rmSync(directory, { recursive: true, force: true });
  });
  const moreModels = { "m-long": perMillion({ fresh: "0.125", cached: "0.0125", output: "0.5" }) };
  const urls = { p1: upstream.baseUrl, a1: upstream.origin, databaseUrl };
  const start: Place["start"] = async (environment = {}) => {
    const settings: GatewayOptions = { ...urls, moreModels, environment };
    const directory = started[0]?.directory;
    const gateway = await startGatewayProcess(
      directory === undefined ? settings : { ...settings, directory },
    );
    started.push(gateway);
    return gateway;
  };
  const startClean = async (): Promise<GatewayProcess> => {
    const gateway = await start();
    const { body } = await gateway.admin("POST", "/audit");
    assert.deepEqual([body.ok, body.open_holds, body.faults], [true, 0, []]);
    return gateway;
  };
  await check({ upstream, databaseUrl, start, startClean });
}

export async function stopPostgres(): Promise<void> {
  const postgres = await startPostgres();
  if (!("skipped" in postgres)) await postgres.stop();
}
