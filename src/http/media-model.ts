import { findModel, nameOf } from "../calls/find-model.ts";
import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";

/** What a door of one kind of media serves. */
export type MediaKind = "image" | "tts" | "stt" | "embedding";

/** Where models of each category are called by OpenAI's clients; all others have `POST /v1/run`. */
const addresses: ReadonlyMap<string, string> = new Map([
  ["chat", "POST /v1/chat/completions"],
  ["image", "POST /v1/images/generations"],
  ["tts", "POST /v1/audio/speech"],
  ["stt", "POST /v1/audio/transcriptions"],
  ["embedding", "POST /v1/embeddings"],
]);

type Asking = { readonly caller: Caller; readonly catalog: Catalog };

/** The model of this name if it is of this kind. Throws what the customer reads: 404, 403, or where it is called. */
export function mediaModel(name: string, kind: MediaKind, { caller, catalog }: Asking): RunModel {
  const found = findModel(name, caller, catalog);
  const { model } = found;
  if (model.kind === "run" && model.category === kind) return model;
  throw wrongAddress(found);
}

function wrongAddress(found: Found): Problem {
  const address = addresses.get(found.model.category) ?? "POST /v1/run";
  return new Problem("wrong_endpoint", {
    param: "model",
    message: `${nameOf(found)} is not called here: call it with ${address}.`,
  });
}
