import { fingerprintOf } from "../answers/random.ts";
import { checkFields } from "../field-rules.ts";
import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { bytesOf } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { sentencesOn } from "../web/prose.ts";
import { documentIn } from "./document.ts";
import { pagesAsked } from "./pages-asked.ts";

const size = { dpi: 200, height: 2_200, width: 1_700 };
const picture = { left: 200, top: 900, width: 320, height: 200 };

/** POST /v1/ocr: the pages as Markdown. Every second page has a picture. */
export async function readDocument(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(
    body,
    {
      model: { is: "text", isRequired: true },
      document: { is: "object", isRequired: true },
      include_image_base64: { is: "boolean" },
      image_limit: { is: "integer", least: 0 },
    },
    422,
  );
  const model = stringOr(body["model"], "");
  if (!model.startsWith("mistral-ocr")) throw new Refusal(400, `Invalid model: ${model}`);
  const { name, pages: count, bytes } = documentIn(isObject(body["document"]) ? body["document"] : {});
  const pages: JsonObject[] = [];
  for (const index of pagesAsked(body["pages"], count)) {
    pages.push(await pageOf(name, index, body["include_image_base64"] === true));
  }
  return json({
    pages,
    model: model === "mistral-ocr-latest" ? "mistral-ocr-4-0" : model,
    document_annotation: null,
    usage_info: { pages_processed: pages.length, doc_size_bytes: bytes },
  });
}

async function pageOf(name: string, index: number, withPictures: boolean): Promise<JsonObject> {
  const seed = fingerprintOf(`${name} ${index}`);
  const text = sentencesOn(`${name} document page`, 3, seed).join(" ");
  const id = `img-${index}.jpeg`;
  const isPictured = index % 2 === 1;
  const { left, top, width, height } = picture;
  const content = async (): Promise<string> => {
    const jpeg = await bytesOf({ kind: "jpeg", seed, width, height });
    return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
  };
  return {
    index,
    markdown: `# Page ${index + 1} of ${name}\n\n${text}\n${isPictured ? `\n![${id}](${id})\n` : ""}`,
    images: isPictured
      ? [
          {
            id,
            top_left_x: left,
            top_left_y: top,
            bottom_right_x: left + width,
            bottom_right_y: top + height,
            image_base64: withPictures ? await content() : null,
          },
        ]
      : [],
    tables: [],
    hyperlinks: [],
    header: null,
    footer: null,
    dimensions: size,
  };
}
