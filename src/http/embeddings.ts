import type { ServerResponse } from "node:http";
import { z } from "zod";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { acceptedRun } from "./answer-schemas.ts";
import type { Door, DoorHeaders } from "./door.ts";
import { fits, fitted, listedValues } from "./fitted-inputs.ts";
import type { FittedInputs, Vocabulary } from "./fitted-inputs.ts";
import { mediaModel } from "./media-model.ts";
import { serveMedia } from "./media-run.ts";
import type { Made, MediaHouse } from "./media-run.ts";
import { embeddings } from "./media-schemas.ts";
import { checked, parseJsonObject } from "./parse-json.ts";
import { sendAnswer } from "./render.ts";

type Encoding = "float" | "base64";

const tokens = z.array(z.number().int().min(0)).min(1);
const embedding = z.looseObject({
  model: z.string().min(1).describe("Any embedding model, see GET /v1/models."),
  input: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1), tokens, z.array(tokens).min(1)])
    .describe("A text, a list of texts, or texts in tokens where the model takes those."),
  encoding_format: z
    .enum(["float", "base64"])
    .nullish()
    .describe("Vectors as numbers, or as the bytes of 32-bit floats in base64."),
});

/** `POST /v1/embeddings`: vectors of texts, in OpenAI's format, by any such model. */
export function embeddingsDoor(house: MediaHouse): Door {
  return {
    method: "POST",
    path: "/v1/embeddings",
    access: "caller",
    summary:
      "Vectors of texts, in OpenAI's format, by any embedding model. The model's own inputs are taken as well.",
    answers: "`data` with `embedding` and `index`, and `usage`.",
    answerForm: embeddings,
    otherAnswers: [acceptedRun],
    body: embedding,
    async attend(visit, _request, response) {
      const body = checked(embedding, parseJsonObject(visit.rawBody).value);
      const catalog = house.chat.catalog;
      const model = mediaModel(body.model, "embedding", { caller: visit.caller(), catalog });
      const encoding = body.encoding_format ?? "float";
      await serveMedia({ model: body.model, ...vectorInputs(model, body) }, response, {
        house,
        visit,
        show: (made, shown, headers) =>
          showVectors(made, shown, { encoding, requestId: visit.requestId, headers }),
      });
    },
  };
}

const vocabulary: Vocabulary = { user: [] };

/** Vectors come as base64 wherever a provider can: that is a quarter of the bytes, and turns into numbers exactly. */
function vectorInputs(model: RunModel, body: JsonObject): FittedInputs {
  const { model: _name, encoding_format: _encoding, ...others } = body;
  const { inputs, dropped } = fitted(model, others, vocabulary);
  const isBase64 = listedValues(model, "encoding_format").includes("base64");
  const encoding = isBase64 && fits(model, "encoding_format", "base64") ? { encoding_format: "base64" } : {};
  return { inputs: { ...inputs, ...encoding }, dropped };
}

type Showing = { readonly encoding: Encoding; readonly requestId: string; readonly headers: DoorHeaders };

function showVectors({ row, output }: Made, response: ServerResponse, showing: Showing): void {
  const { encoding, requestId, headers } = showing;
  const list: readonly unknown[] = Array.isArray(output["data"]) ? output["data"] : [];
  const data = list.map((item, index) => ({
    object: "embedding",
    index: isJsonObject(item) && typeof item["index"] === "number" ? item["index"] : index,
    embedding: encoded(isJsonObject(item) ? item["embedding"] : undefined, encoding),
  }));
  const count = isJsonObject(row.usage) ? row.usage["input_tokens"] : undefined;
  const promptTokens = typeof count === "number" ? count : 0;
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  const body = { object: "list", data, model: row.model, usage, id: row.id };
  sendAnswer(response, requestId, { status: 200, body, headers });
}

/** Little-endian, as OpenAI's clients read it on every machine. */
function encoded(vector: unknown, encoding: Encoding): string | readonly number[] {
  if (typeof vector === "string") return encoding === "base64" ? vector : numbersIn(vector);
  const numbers = Array.isArray(vector) ? vector.filter((one) => typeof one === "number") : [];
  if (numbers.length === 0)
    throw new Problem("upstream_invalid_response", { cause: "a vector without numbers" });
  return encoding === "float" ? numbers : base64Of(numbers);
}

function numbersIn(base64: string): readonly number[] {
  const bytes = Buffer.from(base64, "base64");
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(at * 4));
}

function base64Of(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [at, number] of numbers.entries()) bytes.writeFloatLE(number, at * 4);
  return bytes.toString("base64");
}
