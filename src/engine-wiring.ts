import type { Config } from "./config.ts";
import type { Egress } from "./egress/egress.ts";
import type { Engine } from "./engines/engine.ts";

export type Engines = {
  readonly byName: ReadonlyMap<string, Engine>;
  stop(): Promise<void>;
};

/** Every engine that the operator has not turned off. */
export function enginesOf(config: Config, _egress: Egress): Engines {
  const off = new Set(config.enginesOff);
  const all: readonly Engine[] = [];
  const engines = all.filter((engine) => !off.has(engine.name));
  return {
    byName: new Map(engines.map((engine) => [engine.name, engine])),
    async stop() {
      await Promise.all(engines.map(async (engine) => engine.stop?.()));
    },
  };
}
