import { isJsonObject } from "../../core/json-object.ts";
import type { JsonObject } from "../../core/json-object.ts";

/** Categories whose results are media or pages; what other models call `images` or `audio` stays theirs. */
const shaped: ReadonlySet<string> = new Set(["image", "video", "tts", "music", "sound", "scraper"]);

/**
 * Where the known clients look for a result, beside where the model's own documentation has it: media as addresses in
 * `image_url`, `video_url`, `audio_url`. A model's output has `images`, `videos` or `audio` with `url`s; everything else is
 * shown as it is.
 */
export function shapeOutput(category: string, output: JsonObject): JsonObject {
  if (!shaped.has(category)) return output;
  if (category === "scraper") return shapePage(output);
  const images = addressesIn(output["images"]);
  if (images.length > 0) {
    const data = images.map((url) => ({ url }));
    return { image_url: images[0], data, generated_images: images, ...output };
  }
  const videos = addressesIn(output["videos"] ?? output["video"]);
  const [video] = videos;
  if (video !== undefined && category === "video")
    return { video_url: video, ...output, videos: videos, generatedSamples: [{ video: { uri: video } }] };
  const [audio] = addressesIn(output["audio"]);
  return audio === undefined ? output : { audio_url: audio, ...output };
}

/** A page's own pictures and sounds are a part of it, and no result beside it. */
function shapePage(output: JsonObject): JsonObject {
  const { markdown, html, data } = output;
  if (data !== undefined || markdown === undefined) return output;
  return { ...output, data: { markdown, ...(html === undefined ? {} : { html }) } };
}

function addressesIn(value: unknown): readonly string[] {
  const items = Array.isArray(value) ? value : [value];
  return items.flatMap((item: unknown) => {
    if (typeof item === "string" && item.startsWith("http")) return [item];
    return isJsonObject(item) && typeof item["url"] === "string" ? [item["url"]] : [];
  });
}
