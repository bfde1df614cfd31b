import { fingerprintOf } from "../../answers/random.ts";
import { loadTokenizer } from "../../answers/tokens.ts";
import { checkFields } from "../../field-rules.ts";
import type { FieldRules } from "../../field-rules.ts";
import { numberIn, stringOr } from "../../json.ts";
import type { JsonObject } from "../../json.ts";
import { bytesOf } from "../../media/media-file.ts";
import type { PictureFile } from "../../media/media-file.ts";
import { badRequest, Refusal } from "../../refusal.ts";
import { json, parts } from "../../run-answer.ts";
import type { RunAnswer } from "../../run-answer.ts";
import type { RunRequest } from "../../run-request.ts";
import { refuseMissing } from "../models.ts";
import { pictureTokens, pictureWish } from "./picture-wish.ts";
import type { PictureWish } from "./picture-wish.ts";
import { eventStream, frameOf } from "./server-events.ts";

const rules: FieldRules = {
  prompt: { is: "text", isRequired: true, least: 1, most: 32_000 },
  model: { is: "text" },
  n: { is: "integer", least: 1, most: 10 },
  size: { is: "text" },
  quality: { is: "text", oneOf: ["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"] },
  background: { is: "text", oneOf: ["auto", "transparent", "opaque"] },
  output_format: { is: "text", oneOf: ["png", "jpeg", "webp"] },
  output_compression: { is: "integer", least: 0, most: 100 },
  moderation: { is: "text", oneOf: ["auto", "low"] },
  response_format: { is: "text", oneOf: ["url", "b64_json"] },
  stream: { is: "boolean" },
  partial_images: { is: "integer", least: 0, most: 3 },
};

/** POST /v1/images/generations. */
export async function generateImages(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 400);
  return await imagesFor(request, body, { event: "image_generation", pictures: 0 });
}

const numeric = ["n", "output_compression", "partial_images"];
const mostPictures = 16;

/** POST /v1/images/edits. */
export async function editImages(request: RunRequest): Promise<RunAnswer> {
  const fields = Object.entries(request.fields()).map(([name, value]) => {
    if (name === "stream") return [name, value === "true"];
    return [name, numeric.includes(name) ? numberIn(value) : value];
  });
  const body: JsonObject = Object.fromEntries(fields);
  checkFields(body, rules, 400);
  const pictures = request.files("image").length;
  if (pictures === 0) throw badRequest("'image' is required.", "image");
  if (pictures > mostPictures) throw badRequest(`There are more than ${mostPictures} images.`, "image");
  return await imagesFor(request, body, { event: "image_edit", pictures });
}

type Kind = { readonly event: "image_generation" | "image_edit"; readonly pictures: number };

async function imagesFor(request: RunRequest, body: JsonObject, kind: Kind): Promise<RunAnswer> {
  refuseMissing(stringOr(body["model"], ""));
  refuseModerated(request);
  const wish = pictureWish(body);
  const usage = await usageOf(body, wish, kind.pictures);
  const told = {
    background: stringOr(body["background"], "opaque"),
    output_format: wish.format,
    quality: wish.quality,
    size: `${wish.width}x${wish.height}`,
  };
  const created = Math.floor(request.now() / 1_000);
  if (body["stream"] === true)
    return await streamed({ request, wish, kind }, { ...told, usage, created_at: created });
  const files = Array.from({ length: wish.count }, (_, at) => pictureAt(request, wish, at));
  if (wish.isByAddress) {
    const data = files.map((file) => ({
      url: request.fileUrl(file, addressMs),
      revised_prompt: body["prompt"],
    }));
    return json({ created, data });
  }
  const data = await Promise.all(files.map(async (file) => ({ b64_json: await base64Of(file) })));
  return json({ created, data, ...told, usage });
}

/** The models of old answered with addresses, which were good for an hour. */
const addressMs = 3_600_000;

function refuseModerated({ jobOrders }: RunRequest): void {
  if (jobOrders.end !== "refused") return;
  throw new Refusal(400, "Your request was rejected by the safety system.", { code: "moderation_blocked" });
}

function pictureAt(request: RunRequest, wish: PictureWish, at: number): PictureFile {
  const seed = fingerprintOf(`${request.seed} ${at}`);
  return { kind: wish.format, seed, width: wish.width, height: wish.height };
}

async function base64Of(file: PictureFile): Promise<string> {
  return (await bytesOf(file)).toString("base64");
}

type Streamed = { readonly request: RunRequest; readonly wish: PictureWish; readonly kind: Kind };

async function streamed({ request, wish, kind }: Streamed, told: JsonObject): Promise<RunAnswer> {
  const { usage, ...common } = told;
  const frames: string[] = [];
  for (let at = 0; at < wish.partials; at += 1) {
    const b64_json = await base64Of(pictureAt(request, wish, at + 1));
    frames.push(frameOf(`${kind.event}.partial_image`, { b64_json, partial_image_index: at, ...common }));
  }
  const b64_json = await base64Of(pictureAt(request, wish, 0));
  frames.push(frameOf(`${kind.event}.completed`, { b64_json, ...common, usage }));
  return parts(eventStream, frames);
}

async function usageOf(body: JsonObject, wish: PictureWish, pictures: number): Promise<JsonObject> {
  const tokenizer = await loadTokenizer();
  const text = await tokenizer.countAll([stringOr(body["prompt"], "")]);
  const image = pictures * pictureTokens({ quality: "medium", width: 512, height: 512 });
  const output = pictureTokens(wish) * wish.count;
  return {
    input_tokens: text + image,
    output_tokens: output,
    total_tokens: text + image + output,
    input_tokens_details: { text_tokens: text, image_tokens: image },
    output_tokens_details: { image_tokens: output, text_tokens: 0 },
  };
}
