import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { startSite } from "./egress-sites.ts";
import type { Site } from "./egress-sites.ts";

/** A provider of speech that says what the test tells it to, piece by piece. */
export type Speaker = Site & {
  /** The next request to speak, waiting for its sound. */
  asked(): Promise<Speech>;
};

export type Speech = {
  /** Resolves when the piece has left this process. */
  say(piece: Buffer): Promise<void>;
  end(): void;
  /** The connection breaks in the middle of the sound. */
  breakOff(): void;
};

const askedWithinMs = 20_000;

/** `POST /speak` with any body is answered with a sound in MP3. */
export async function startSpeaker(): Promise<Speaker> {
  const arrived: ServerResponse[] = [];
  const waiting: ((response: ServerResponse) => void)[] = [];
  const site = await startSite((_, response) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(response);
    else next(response);
  });
  const next = (): Promise<ServerResponse> => {
    const first = arrived.shift();
    return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
  };
  const late = (): Promise<never> =>
    pause(askedWithinMs, undefined, { ref: false }).then(() => {
      throw new Error("nobody asked for speech");
    });
  return { ...site, asked: async () => speechOn(await Promise.race([next(), late()])) };
}

function speechOn(response: ServerResponse): Speech {
  response.writeHead(200, { "content-type": "audio/mpeg" });
  return {
    async say(piece) {
      if (!response.write(piece)) await Promise.race([once(response, "drain"), once(response, "close")]);
    },
    end: () => void response.end(),
    breakOff: () => void response.destroy(),
  };
}

/** Models that are served by `s1`, then by `s2`, at $1 for a thousand characters. */
export function speakingCatalog(models: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    "providers/s1.json": provider("s1"),
    "providers/s2.json": provider("s2"),
    ...Object.fromEntries(models.map((id) => [`models/test/${id}.json`, speaking(id)])),
  };
}

function speaking(id: string): object {
  return {
    id,
    kind: "run",
    category: "tts",
    inputs: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
    retail: [{ meter: "chars", per: 1_000, usd: "1" }],
    offers: ["s1", "s2"].map((provider) => ({ ...offer, provider, upstream_model: id })),
  };
}

function provider(id: string): object {
  return {
    id,
    name: id,
    base_url: "http://127.0.0.1:9",
    auth: { header: "Authorization", prefix: "Bearer " },
  };
}

const offer = {
  repeatable: true,
  request: { path: "/speak", body: { input: "$.inputs.input" } },
  output: { audio: { url: { $file: { base64: "$.res.base64", mime: "$.res.mime" } } } },
  meters: [{ meter: "chars", reserve: { $len: "$.inputs.input" } }],
};
