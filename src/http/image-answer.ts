import type { ServerResponse } from "node:http";
import type { SeenRun } from "../calls/runs/run-store.ts";
import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { Files } from "../files/files.ts";
import type { DoorHeaders } from "./door.ts";
import { addressesIn, madeBytes } from "./made-file.ts";
import { showOther } from "./media-run.ts";
import type { Made } from "./media-run.ts";
import { sendAnswer } from "./render.ts";

export type ImageWish = {
  /** The picture itself within the answer, beside its address. */
  readonly wantsData: boolean;
  readonly isStreamed: boolean;
};

/** OpenAI's clients of these models read `b64_json` and have no way to ask for it. */
const answersAsData = /(?:^|\/)gpt-image/i;

export function imageWishOf(model: string, body: JsonObject): ImageWish {
  const format = body["response_format"] ?? undefined;
  const isStreamed = body["stream"] === true;
  const wantsData = format === undefined ? answersAsData.test(model) : format === "b64_json";
  return { wantsData: wantsData || isStreamed, isStreamed };
}

type Showing = {
  readonly files: Files;
  readonly wish: ImageWish;
  readonly requestId: string;
  readonly headers: DoorHeaders;
  /** What the events of a stream are called: `image_generation` or `image_edit`. */
  readonly event: string;
  /** What was asked for, as the model knows it. */
  readonly inputs: JsonObject;
};

/** OpenAI's answer with pictures: always their addresses, which need no key and expire, and the bytes where wanted. */
export async function showImages(made: Made, response: ServerResponse, showing: Showing): Promise<void> {
  const { row, output } = made;
  const { files, wish, requestId, headers } = showing;
  const urls = addressesIn(output["images"]);
  if (urls.length === 0) return showOther(row, response, { requestId, headers });
  const data: JsonObject[] = [];
  for (const url of urls) {
    const bytes = wish.wantsData ? await madeBytes(url, row, files) : undefined;
    data.push({ url, ...(bytes === undefined ? {} : { b64_json: bytes.toString("base64") }) });
  }
  const { revised_prompt: revised } = output;
  const pictures = data.map((picture) =>
    typeof revised === "string" ? { ...picture, revised_prompt: revised } : picture,
  );
  if (wish.isStreamed) return sendEvents(made, response, { ...showing, pictures });
  const created = createdAt(row);
  const body = { created, data: pictures, ...factsOf(made, showing.inputs), id: row.id };
  sendAnswer(response, requestId, { status: 200, body, headers });
}

function createdAt(row: SeenRun): number {
  return Math.floor(row.created_at.getTime() / 1000);
}

/** What OpenAI tells beside the pictures, as far as the model told it. */
function factsOf({ row, output }: Made, inputs: JsonObject): JsonObject {
  const facts = {
    size: output["size"] ?? undefined,
    quality: output["quality"] ?? undefined,
    background: inputs["background"],
    output_format: inputs["output_format"],
    usage: usageIn(row),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Only models that are charged by tokens tell any. */
function usageIn({ usage }: SeenRun): JsonObject | undefined {
  if (!isJsonObject(usage)) return undefined;
  const { input_tokens: input, output_tokens: output } = usage;
  if (typeof input !== "number" || typeof output !== "number") return undefined;
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

type Streaming = Showing & { readonly pictures: readonly JsonObject[] };

/** Pictures are there when they are whole: one event for each, and none for what was before. */
function sendEvents(made: Made, response: ServerResponse, streaming: Streaming): void {
  const { requestId, headers, event, pictures, inputs } = streaming;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...headers,
  });
  for (const picture of pictures) {
    const type = `${event}.completed`;
    const told = { type, ...picture, ...factsOf(made, inputs), created_at: createdAt(made.row) };
    response.write(`event: ${type}\ndata: ${JSON.stringify(told)}\n\n`);
  }
  response.end();
}
