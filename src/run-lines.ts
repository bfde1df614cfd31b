import type { RunLine } from "./calls/runs/run-house.ts";
import type { Config } from "./config.ts";
import type { Mode } from "./core/caller.ts";
import type { Endpoint } from "./core/endpoint.ts";
import type { RunOffer } from "./core/model.ts";
import type { Engine } from "./engines/engine.ts";
import { liveAccess, missingVariables, sandboxAccess } from "./provider-access.ts";
import { compileEndpoint } from "./providers/declared/compile-endpoint.ts";
import type { RunWire } from "./providers/declared/run-wire.ts";
import { hasEmulator } from "./sandbox/emulators.ts";

export type RunLines = {
  lineTo(offer: RunOffer, mode: Mode): RunLine | undefined;
  /** What the operator can do about an offer without a line. */
  remedyFor(offer: RunOffer): string;
};

const minuteMs = 60_000;

/** Joins offers of runs to what does their work: providers, engines of ours, or the sandbox, which plays both. */
export function runLinesOf(
  config: Config,
  sandboxUrl: string,
  engines: ReadonlyMap<string, Engine>,
): RunLines {
  const remembered = {
    live: new WeakMap<RunOffer, RunLine | undefined>(),
    test: new WeakMap<RunOffer, RunLine | undefined>(),
  };
  const make = (offer: RunOffer, mode: Mode): RunLine | undefined => {
    if (mode === "test") return sandboxLine(offer, sandboxUrl);
    return "engine" in offer.work ? engineLine(offer.work.engine, engines) : liveLine(offer, config);
  };
  return {
    lineTo(offer, mode) {
      const known = remembered[mode];
      if (!known.has(offer)) known.set(offer, make(offer, mode));
      return known.get(offer);
    },
    remedyFor: (offer) =>
      "engine" in offer.work
        ? withinSentence(
            engines.get(offer.work.engine)?.missing() ?? `turn the engine ${offer.work.engine} on`,
          )
        : `set ${missingVariables(offer.provider, config).join(" and ")}`,
  };
}

function withinSentence(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

function engineLine(name: string, engines: ReadonlyMap<string, Engine>): RunLine | undefined {
  const engine = engines.get(name);
  return engine === undefined || engine.missing() !== undefined ? undefined : { engine };
}

function liveLine(offer: RunOffer, config: Config): RunLine | undefined {
  const access = liveAccess(offer.provider, config, "run");
  if (access === undefined || !("endpoint" in offer.work)) return undefined;
  return endpointLine(offer, offer.work.endpoint, access);
}

/** A provider that nobody plays has no line: its address in the sandbox would refuse whatever it is asked. */
function sandboxLine(offer: RunOffer, sandboxUrl: string): RunLine | undefined {
  if (!hasEmulator(offer.provider.id) && offer.provider.wire !== "openai-chat") return undefined;
  const access = sandboxAccess(offer.provider, `${sandboxUrl}/${offer.provider.id}`);
  const endpoint = "endpoint" in offer.work ? offer.work.endpoint : playedEngine(offer, offer.work.engine);
  const plays = "engine" in offer.work ? { plays: offer.work.engine } : {};
  return { ...endpointLine(offer, endpoint, access), trustedHosts: "sandbox", ...plays };
}

type Access = NonNullable<ReturnType<typeof liveAccess>>;

function endpointLine(offer: RunOffer, endpoint: Endpoint, { connection, settings }: Access): RunLine {
  return {
    wire: wireOf(endpoint),
    connection,
    headers: offer.provider.headers,
    trustedHosts: offer.provider.trustedHosts,
    env: settings,
    inlines: endpoint.inline,
    isRepeatable: endpoint.repeatable,
    patienceMs: endpoint.polling?.maxMs ?? minuteMs,
  };
}

function wireOf(endpoint: Endpoint): RunWire {
  const compiled = compileEndpoint(endpoint);
  if ("wire" in compiled) return compiled.wire;
  throw new Error(`an endpoint has faults: ${compiled.faults.map((fault) => fault.message).join("; ")}`);
}

/** In test mode the sandbox plays the engines as well: nothing of a test call leaves the machine or acts on it. */
function playedEngine({ price }: RunOffer, engine: string): Endpoint {
  return {
    request: {
      method: "POST",
      path: `/engines/${engine}`,
      encoding: "json",
      query: {},
      headers: {},
      body: "$.inputs",
    },
    inline: {},
    repeatable: true,
    errors: { when: undefined, message: undefined, code: undefined, codes: {}, words: {} },
    polling: undefined,
    fetches: [],
    output: { $merge: ["$.res.output", playedFiles] },
    emptyWhen: undefined,
    meters: price.map(({ meter }) => ({ meter, reserve: 1, quantity: `$.res.usage.${meter}` })),
  };
}

/** Files within an engine's output are addresses of the sandbox there. */
const playedFiles = {
  images: {
    $map: {
      from: "$.res.output.images",
      as: "image",
      to: { $merge: ["$.image", { url: { $file: { url: "$.image.url" } } }] },
    },
  },
  audio: {
    $if: [
      "$.res.output.audio",
      { $merge: ["$.res.output.audio", { url: { $file: { url: "$.res.output.audio.url" } } }] },
      null,
    ],
  },
};
