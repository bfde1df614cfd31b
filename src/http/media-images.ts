import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { acceptedRun } from "./answer-schemas.ts";
import { withForm } from "./door.ts";
import type { Door, Visit } from "./door.ts";
import { membersOf } from "./form-body.ts";
import type { FormBody, FormFile } from "./form-body.ts";
import { fits, inputOf, listedValues } from "./fitted-inputs.ts";
import { imageWishOf, showImages } from "./image-answer.ts";
import { imageInputs } from "./image-inputs.ts";
import { mediaModel } from "./media-model.ts";
import { formLimitsOf, serveMedia } from "./media-run.ts";
import type { MediaHouse } from "./media-run.ts";
import { pictureEvent, pictures } from "./media-schemas.ts";
import { checked, parseJsonObject } from "./parse-json.ts";

/** Who draws for a request that names nobody. */
const usualModel = "gpt-image-2.6-flare";
const usualEditor = "gpt-image-edit";

const generation = z.looseObject({
  prompt: z.string().min(1).describe("What to show."),
  model: z
    .string()
    .min(1)
    .nullish()
    .describe(`Any image model, see GET /v1/models; ${usualModel} if left out.`),
  n: z.number().int().min(1).max(10).nullish().describe("How many, where the model can make several."),
  size: z.string().nullish().describe("Width x height, such as 1024x1024, or auto."),
  response_format: z
    .enum(["url", "b64_json"])
    .nullish()
    .describe("b64_json: the picture itself beside its address; usual for gpt-image models."),
  stream: z.boolean().nullish().describe("true: the pictures as server-sent events, when they are whole."),
});

/** OpenAI's addresses for pictures, for every image model of the catalog. */
export function imageDoors(house: MediaHouse): readonly Door[] {
  return [generationsDoor(house), editsDoor(house)];
}

function generationsDoor(house: MediaHouse): Door {
  return {
    method: "POST",
    path: "/v1/images/generations",
    access: "caller",
    summary:
      "Pictures from a text, in OpenAI's format, by any image model. The model's own inputs are taken as well.",
    answers:
      "`created` and `data` with `url`, and `b64_json` where wanted; `usage` for models charged by tokens.",
    answerForm: pictures,
    eventForm: pictureEvent,
    otherAnswers: [acceptedRun],
    body: generation,
    async attend(visit, _request, response) {
      const body = checked(generation, parseJsonObject(visit.rawBody).value);
      const name = body.model ?? usualModel;
      const model = mediaModel(name, "image", { caller: visit.caller(), catalog: house.chat.catalog });
      refuseEditors(model, body);
      await serveImages(visit, response, {
        house,
        name,
        body,
        fitted: imageInputs(model, body),
        event: "image_generation",
      });
    },
  };
}

type ServingImages = {
  readonly house: MediaHouse;
  /** As the run is called. */
  readonly name: string;
  /** As the customer called it. */
  readonly asked?: string;
  readonly body: JsonObject;
  readonly fitted: ReturnType<typeof imageInputs>;
  readonly event: string;
};

async function serveImages(
  visit: Visit<unknown>,
  response: ServerResponse,
  { house, name, asked = name, body, fitted, event }: ServingImages,
): Promise<void> {
  const wish = imageWishOf(asked, body);
  await serveMedia({ model: name, ...fitted }, response, {
    house,
    visit,
    show: (made, shown, headers) =>
      showImages(made, shown, {
        files: house.runs.files,
        wish,
        requestId: visit.requestId,
        headers,
        event,
        inputs: fitted.inputs,
      }),
  });
}

/** Every other input of the model is taken as well. */
const editFields = z.looseObject({
  image: z.union([z.file(), z.array(z.file()).min(1)]).describe("What to change; also as `image[]`."),
  prompt: z.string().optional().describe("What to change it into, for models that take words."),
  mask: z.file().optional().describe("Where to change it, for models that take one."),
  model: z.string().optional().describe(`Any image model that takes pictures; ${usualEditor} if left out.`),
  size: z.string().optional().describe("Width x height, such as 1024x1024, or auto."),
  response_format: z.enum(["url", "b64_json"]).optional(),
  stream: z.boolean().optional().describe("true: the pictures as server-sent events."),
  n: z.int().min(1).optional().describe("How many, where the model can make several."),
  quality: z.string().optional(),
  background: z.string().optional(),
  output_format: z.string().optional(),
  output_compression: z.int().optional(),
  input_fidelity: z.string().optional(),
  user: z.string().optional(),
});

const numbers = ["n", "output_compression", "partial_images"];

function editsDoor(house: MediaHouse): Door {
  return {
    method: "POST",
    path: "/v1/images/edits",
    access: "caller",
    summary:
      "Changes pictures as a text says: a form with `image` (or `image[]`), `prompt`, and `mask`, `model` and others.",
    answers: "As `POST /v1/images/generations`.",
    answerForm: pictures,
    eventForm: pictureEvent,
    otherAnswers: [acceptedRun],
    ...withForm({ limits: formLimitsOf(house), fields: editFields }, (visit, response) =>
      edit(visit, { response, house }),
    ),
  };
}

type Editing = { readonly response: ServerResponse; readonly house: MediaHouse };

async function edit(visit: Visit<FormBody>, { response, house }: Editing): Promise<void> {
  const { catalog } = house.chat;
  const form = visit.body;
  const { model: asked, ...fields } = numbered(membersOf(form, []));
  const name = typeof asked === "string" && asked !== "" ? asked : usualEditor;
  const model = mediaModel(name, "image", { caller: visit.caller(), catalog });
  const editor = editorFor(model, house);
  const [images = [], masks = []] = [form.files.get("image"), form.files.get("mask")];
  const { inputs, dropped } = imageInputs(editor.model, fields);
  const files = { ...pictureInputs(editor.model, images), ...maskInput(editor.model, masks) };
  await serveImages(visit, response, {
    house,
    name: editor.model === model ? name : editor.model.id,
    asked: name,
    body: fields,
    fitted: { inputs: { ...inputs, ...editor.inputs, ...files }, dropped },
    event: "image_edit",
  });
}

function numbered(members: JsonObject): JsonObject {
  const entries = Object.entries(members).map(([name, value]) => {
    if (name === "stream") return [name, value === "true"];
    const isNumber = numbers.includes(name) && /^\d{1,6}$/.test(String(value));
    return [name, isNumber ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

type Editor = { readonly model: RunModel; readonly inputs: JsonObject };

/**
 * The model itself where it takes pictures; else the one that has it among those it draws with: the same model goes by
 * two names where making and changing cost differently.
 */
function editorFor(model: RunModel, { chat }: MediaHouse): Editor {
  if (takesPictures(model)) return { model, inputs: {} };
  const upstream = model.offers[0]?.upstreamModel;
  for (const other of chat.catalog.models) {
    if (other.kind !== "run" || other.category !== "image" || !takesPictures(other)) continue;
    if (upstream !== undefined && listedValues(other, "model").includes(upstream))
      return { model: other, inputs: { model: upstream } };
  }
  throw new Problem("wrong_endpoint", {
    param: "model",
    message: "This model does not change pictures: call it with POST /v1/images/generations.",
  });
}

/** A model that cannot begin without a picture is called with one. */
function refuseEditors(model: RunModel, body: JsonObject): void {
  const { required } = model.inputs;
  const needed = pictureNames.find((name) => Array.isArray(required) && required.includes(name));
  if (needed === undefined || pictureNames.some((name) => body[name] !== undefined)) return;
  throw new Problem("wrong_endpoint", {
    param: "model",
    message: `This model changes pictures: call it with POST /v1/images/edits, or give ${needed}.`,
  });
}

const singles = ["image", "input_image", "image_url", "image_prompt"] as const;
const lists = ["images", "image_urls", "reference_images"] as const;
const pictureNames: readonly string[] = [...singles, ...lists];
const maskNames = ["mask", "mask_url", "mask_image_url", "mask_image"] as const;

function takesPictures(model: RunModel): boolean {
  return pictureNames.some((name) => inputOf(model, name) !== undefined);
}

/** As data URLs, under the name that the model has for them. */
function pictureInputs(model: RunModel, files: readonly FormFile[]): JsonObject {
  const urls = files.map(dataUrlOf);
  const [first] = urls;
  if (first === undefined)
    throw new Problem("invalid_request", { param: "image", message: "image: is required, as a file." });
  const single = singles.find((name) => fits(model, name, first));
  if (urls.length === 1 && single !== undefined) return { [single]: first };
  const list = lists.find((name) => inputOf(model, name) !== undefined);
  if (list !== undefined) return { [list]: urls };
  if (urls.length === 1)
    return { [singles.find((name) => inputOf(model, name) !== undefined) ?? "image"]: first };
  throw new Problem("invalid_request", { param: "image", message: "This model takes one image." });
}

function maskInput(model: RunModel, masks: readonly FormFile[]): JsonObject {
  const [mask] = masks;
  if (mask === undefined) return {};
  const name = maskNames.find((one) => inputOf(model, one) !== undefined);
  if (name !== undefined) return { [name]: dataUrlOf(mask) };
  throw new Problem("invalid_request", { param: "mask", message: "This model takes no mask." });
}

function dataUrlOf({ contentType, bytes }: FormFile): string {
  return `data:${contentType};base64,${bytes.toString("base64")}`;
}
