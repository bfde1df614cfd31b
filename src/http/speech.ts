import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { anyBytes } from "../files/content-type.ts";
import { acceptedRun } from "./answer-schemas.ts";
import type { Door } from "./door.ts";
import type { DoorHeaders } from "./door.ts";
import { addressesIn, madeFile, sendMadeFile } from "./made-file.ts";
import { mediaModel } from "./media-model.ts";
import { serveMedia, showOther } from "./media-run.ts";
import type { Made, MediaHouse } from "./media-run.ts";
import { paidOther } from "./media-schemas.ts";
import { checked, parseJsonObject } from "./parse-json.ts";
import type { SoundToShow } from "./runs.ts";
import { speechInputs } from "./speech-inputs.ts";

const speech = z.looseObject({
  model: z.string().min(1).describe("Any model that speaks, see GET /v1/models."),
  input: z.string().min(1).describe("What to say."),
  voice: z
    .union([z.string().min(1), z.looseObject({ id: z.string().min(1) })])
    .nullish()
    .describe("The voice; the model's usual one if left out."),
  response_format: z
    .enum(["mp3", "opus", "aac", "flac", "wav", "pcm"])
    .nullish()
    .describe("The model's usual one if left out, mostly mp3."),
  speed: z.number().min(0.25).max(4).nullish().describe("1 is the usual one."),
  instructions: z.string().nullish().describe("How to say it, for models that take it."),
  stream_format: z.literal("audio", "want audio").nullish().describe("The sound is whole when it is sent."),
});

/** `POST /v1/audio/speech`: the sound itself as the answer, by any model that speaks. */
export function speechDoor(house: MediaHouse): Door {
  return {
    method: "POST",
    path: "/v1/audio/speech",
    access: "caller",
    summary:
      "Speaks a text, in OpenAI's format, by any such model. The model's own inputs are taken as well.",
    answers: "The sound with its content-type, while it is made where the provider sends it so.",
    answerForm: paidOther,
    otherAnswers: [{ mediaType: "audio/*", form: z.file() }, acceptedRun],
    body: speech,
    async attend(visit, _request, response) {
      const body = checked(speech, parseJsonObject(visit.rawBody).value);
      const catalog = house.chat.catalog;
      const model = mediaModel(body.model, "tts", { caller: visit.caller(), catalog });
      const isRaw = body.response_format === "pcm";
      const { requestId } = visit;
      await serveMedia({ model: body.model, ...speechInputs(model, body) }, response, {
        house,
        visit,
        show: (made, shown, headers) => sendSound(made, shown, { house, requestId, headers, isRaw }),
        showLive: (sound, shown, headers) => sendLive(sound, shown, { house, requestId, headers, isRaw }),
      });
    },
  };
}

type Sending = {
  readonly house: MediaHouse;
  readonly requestId: string;
  readonly headers: DoorHeaders;
  readonly isRaw: boolean;
};

async function sendSound({ row, output }: Made, response: ServerResponse, sending: Sending): Promise<void> {
  const { house, requestId } = sending;
  const [url] = addressesIn(output["audio"]);
  if (url === undefined) return showOther(row, response, sending);
  const { files } = house.runs;
  const file = await madeFile(url, row, files);
  const contentType = soundType(file.contentType, sending);
  const { stalledClientMs } = house.chat;
  const headers = { ...sending.headers, "x-request-id": requestId };
  await sendMadeFile({ ...file, contentType }, response, { files, headers, stalledClientMs });
}

/**
 * The sound while it is made, no faster than the client reads it. Its end waits until the whole is charged; a sound that
 * does not come to its end costs nothing, and the connection is cut.
 */
async function sendLive(sound: SoundToShow, response: ServerResponse, sending: Sending): Promise<void> {
  const { house, requestId, headers } = sending;
  response.writeHead(200, {
    "content-type": soundType(sound.begun.contentType, sending),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...headers,
  });
  // Until then it may be the provider that is slow.
  void sound.isPaid.then(() => response.setTimeout(house.chat.stalledClientMs));
  await pipeline(untilPaid(sound), response).catch(() => undefined);
}

async function* untilPaid({ live, isPaid }: SoundToShow): AsyncGenerator<Buffer> {
  yield* live;
  if (!(await isPaid)) throw new Error("the sound did not come to its end");
  yield live.end;
}

/** Samples without a head look like any bytes. */
function soundType(contentType: string, { isRaw }: Sending): string {
  return isRaw && contentType === anyBytes ? "audio/pcm" : contentType;
}
