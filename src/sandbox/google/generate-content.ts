import { isObject, objectsIn, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { sizeOfRatio } from "../media/asked-size.ts";
import type { Size } from "../media/asked-size.ts";
import { bytesOf, contentTypeOf } from "../media/media-file.ts";
import type { MediaFile } from "../media/media-file.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { spokenMs } from "../speech/spoken.ts";

const charactersPerToken = 4;
const tokensPerPicture = 1_290;
const soundTokensPerSecond = 25;
const songMs = 30_000;
const side = 1_024;

/** POST /v1beta/models/{model}:generateContent, for models that answer with a picture or a sound. */
export async function generateContent(request: RunRequest): Promise<RunAnswer> {
  const model = request.in("model");
  const body = request.json();
  const text = promptIn(body);
  if (text === "") throw badRequest("contents must have a part with text.");
  const file = fileFor(model, text, { seed: request.seed, body });
  if (file === undefined) {
    throw new Refusal(404, `models/${model} is not found, or is not supported for pictures and sounds.`);
  }
  const mimeType = file.kind === "pcm" ? "audio/L16;codec=pcm;rate=24000" : contentTypeOf(file);
  const data = (await bytesOf(file)).toString("base64");
  return json({
    candidates: [
      {
        content: { parts: [{ inlineData: { mimeType, data } }], role: "model" },
        finishReason: "STOP",
        index: 0,
      },
    ],
    usageMetadata: usageOf(text, file),
    modelVersion: model,
    responseId: request.seed.slice(0, 22),
  });
}

function promptIn(body: JsonObject): string {
  return objectsIn(body["contents"])
    .flatMap(({ parts }) => objectsIn(parts))
    .map(({ text }) => stringOr(text, ""))
    .join(" ")
    .trim();
}

type Wanted = { readonly seed: string; readonly body: JsonObject };

function fileFor(model: string, text: string, { seed, body }: Wanted): MediaFile | undefined {
  if (model.includes("image")) return { kind: "png", seed, ...sizeIn(body) };
  if (model.includes("tts")) return { kind: "pcm", seed, ms: spokenMs(text), rate: 24_000 };
  return model.startsWith("lyria") ? { kind: "mp3", seed, ms: songMs } : undefined;
}

function sizeIn({ generationConfig }: JsonObject): Size {
  const config = isObject(generationConfig) ? generationConfig["imageConfig"] : undefined;
  const ratio = isObject(config) ? config["aspectRatio"] : undefined;
  return sizeOfRatio(ratio, side * side, 16) ?? { width: side, height: side };
}

function usageOf(text: string, file: MediaFile): JsonObject {
  const prompt = Math.ceil(text.length / charactersPerToken);
  const isPicture = file.kind === "png";
  const made = "ms" in file ? Math.ceil((file.ms / 1_000) * soundTokensPerSecond) : tokensPerPicture;
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: made,
    totalTokenCount: prompt + made,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: prompt }],
    candidatesTokensDetails: [{ modality: isPicture ? "IMAGE" : "AUDIO", tokenCount: made }],
  };
}
