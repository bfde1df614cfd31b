import type { Config } from "./config.ts";
import type { Clock } from "./core/clock.ts";
import type { Egress } from "./egress/egress.ts";
import { emailEngine } from "./engines/email/email-engine.ts";
import type { Engine } from "./engines/engine.ts";
import { imageEngine } from "./engines/image/image-engine.ts";
import { parseEngine } from "./engines/parse/parse.ts";
import { findChromium } from "./engines/scrape/chromium-path.ts";
import { scrapeEngine } from "./engines/scrape/scrape.ts";
import { searchEngine } from "./engines/search/search.ts";
import { speechEngine } from "./engines/speech/speech-engine.ts";
import { transcribeEngine } from "./engines/transcribe/transcribe-engine.ts";
import { workerPool } from "./engines/worker-pool.ts";

export type Engines = {
  readonly byName: ReadonlyMap<string, Engine>;
  /** Names of those that lack nothing. */
  readonly ready: readonly string[];
  stop(): Promise<void>;
};

/** Every engine that the operator has not turned off. */
export function enginesOf(config: Config, egress: Egress, clock: Clock): Engines {
  const pool = workerPool();
  const off = new Set(config.enginesOff);
  const engines = allEngines(config, { egress, clock, pool }).filter((engine) => !off.has(engine.name));
  return {
    ready: engines.filter((engine) => engine.missing() === undefined).map((engine) => engine.name),
    byName: new Map(engines.map((engine) => [engine.name, engine])),
    async stop() {
      await Promise.all(engines.map(async (engine) => engine.stop?.()));
      await pool.stop();
    },
  };
}

type Tools = {
  readonly egress: Egress;
  readonly clock: Clock;
  readonly pool: ReturnType<typeof workerPool>;
};

function allEngines({ engines: settings }: Config, { egress, clock, pool }: Tools): readonly Engine[] {
  const { searchPath } = settings;
  const path = findChromium(settings.chromium);
  const chromium = path === undefined ? undefined : { path, hasSandbox: settings.chromiumHasSandbox };
  return [
    scrapeEngine({ egress, pool, clock, chromium }),
    parseEngine({ pool }),
    searchEngine({ searxngUrl: settings.searxngUrl }),
    imageEngine(),
    emailEngine({
      smtpUrl: settings.smtpUrl,
      from: settings.smtpFrom,
      allowedFromDomains: settings.smtpDomains,
      tls: settings.smtpTls,
    }),
    speechEngine({ program: settings.espeak, searchPath }),
    transcribeEngine({
      program: settings.whisper,
      model: settings.whisperModel,
      url: settings.whisperUrl,
      apiKey: settings.whisperApiKey,
      searchPath,
    }),
  ];
}
