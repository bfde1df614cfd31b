import { isUnderstood } from "../calls/runs/input-names.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { contentTypeOf } from "../files/content-type.ts";
import { fileLimitsOf } from "../files/file-limits.ts";
import type { Visit } from "./door.ts";
import { fits, inputOf } from "./fitted-inputs.ts";
import type { RunsHouse } from "./runs.ts";

/** Inputs that are a file, in the order in which a file that came without one is given to them. */
const files = [
  "document_url",
  "image",
  "image_url",
  "input_image",
  "images",
  "audio_url",
  "video_url",
  "file_url",
];

type Filing = { readonly visit: Visit<unknown>; readonly house: RunsHouse };

/**
 * The command line sends any file as base64 in `audio_data`, with its name in `filename`, whatever the model calls it
 * (heeyo-life/skillboss-cli, `src/commands/call.ts`). A model that takes no such input gets it as its main file: in the
 * request itself, or as an address of ours where it takes addresses only.
 */
export async function withMainFile(model: RunModel, given: JsonObject, filing: Filing): Promise<JsonObject> {
  const { audio_data: data, filename, ...others } = given;
  if (typeof data !== "string" || isUnderstood(model, "audio_data")) return given;
  const input = files.find((name) => inputOf(model, name) !== undefined && given[name] === undefined);
  if (input === undefined) return given;
  const name = typeof filename === "string" ? { name: filename } : {};
  const bytes = bytesOf(data);
  const contentType = contentTypeOf({ head: bytes, isWhole: true, ...name });
  const url = `data:${contentType};base64,${bytes.toString("base64")}`;
  const value = takes(model, input, url) ? url : await addressFor({ bytes, contentType, ...name }, filing);
  const named = filename !== undefined && isUnderstood(model, "filename") ? { filename } : {};
  return { ...others, ...named, [input]: input === "images" ? [value] : value };
}

function bytesOf(data: string): Buffer {
  const text = data.replace(/^data:[^,]{0,200};base64,/, "").replaceAll(/\s+/g, "");
  const bytes = Buffer.from(text, "base64");
  if (bytes.length > 0 && /^[\w+/-]+={0,2}$/.test(text)) return bytes;
  throw new Problem("invalid_request", {
    param: "inputs.audio_data",
    message: "inputs.audio_data: want the bytes of a file as base64",
  });
}

function takes(model: RunModel, input: string, url: string): boolean {
  const { format, maxLength = Infinity } = inputOf(model, input) ?? {};
  return (
    input === "images" || (fits(model, input, url) && format !== "uri" && url.length <= Number(maxLength))
  );
}

type Named = { readonly bytes: Buffer; readonly contentType: string; readonly name?: string };

async function addressFor(
  { bytes, contentType, ...named }: Named,
  { visit, house }: Filing,
): Promise<string> {
  const { accountId, mode, plan } = visit.caller();
  const { files: store } = house.runs;
  const limits = fileLimitsOf(plan);
  const file = await store.store({
    accountId,
    mode,
    limits,
    hint: contentType,
    sizeBytes: bytes.length,
    body: once(bytes),
    ...named,
  });
  return store.urlOf(file, house.publicUrl ?? visit.origin);
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}
