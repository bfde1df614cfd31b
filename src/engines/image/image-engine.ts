import type { Engine, EngineContext, EngineResult } from "../engine.ts";
import { InputValues } from "../input-values.ts";
import { orAborted } from "../or-aborted.ts";
import type { PictureJob } from "./picture-job.ts";
import { Places } from "../places.ts";
import { hasSharpLibrary } from "./sharp-library.ts";

// What an operation needs is loaded with its first run: most servers draw no pictures, and start sooner.
const operations = {
  resize: async () => (await import("./change-picture.ts")).resize,
  convert: async () => (await import("./change-picture.ts")).convert,
  crop: async () => (await import("./change-picture.ts")).crop,
  rotate: async () => (await import("./change-picture.ts")).rotate,
  compose: async () => (await import("./compose-picture.ts")).compose,
  text: async () => (await import("./text-picture.ts")).text,
  qr: async () => (await import("./qr-picture.ts")).qr,
} as const satisfies Record<string, () => Promise<(job: PictureJob) => Promise<EngineResult>>>;

/** Half of the threads that Node.js has for work of this kind: files and names of hosts need the others. */
const placesAtOnce = 2;
/** Each holds up to two pictures in memory. */
const mostWaiting = 24;

/**
 * Pictures from pictures and from text, by `operation`: resize, convert, crop, rotate, compose, text, qr. In: up to 25 MB
 * and 50 million pixels, no SVG, the first frame of what moves. Out: up to 25 MB and 8192 pixels a side, without metadata.
 */
export function imageEngine(): Engine {
  const places = new Places(placesAtOnce, mostWaiting);
  return {
    name: "image",
    missing() {
      if (hasSharpLibrary()) return undefined;
      return "Reinstall with optional dependencies (npm install): the image library has no binary for this platform here.";
    },
    run(context) {
      return runOperation(context, places);
    },
  };
}

async function runOperation(context: EngineContext, places: Places): Promise<EngineResult> {
  const inputs = new InputValues(context.inputs);
  const names = Object.keys(operations) as readonly (keyof typeof operations)[];
  const operation = inputs.choice("operation", names);
  if (operation === undefined) throw inputs.refusal("operation", `operation is one of ${names.join(", ")}.`);
  const { signal } = context;
  signal.throwIfAborted();
  const work = await operations[operation]();
  const result = await work({
    context,
    inputs,
    // The library cannot be stopped: who called a run off is not kept waiting, but its place is.
    atWork: (task) => orAborted(places.in(signal, task), signal),
  });
  signal.throwIfAborted();
  return result;
}
