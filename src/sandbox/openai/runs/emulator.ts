import type { Emulator } from "../../emulator.ts";
import { bearer } from "../../worn-credential.ts";
import { headersFor } from "../headers.ts";
import { embed } from "./embeddings.ts";
import { refuseAsOpenai } from "./errors.ts";
import { editImages, generateImages } from "./images.ts";
import { speak } from "./speech.ts";
import { transcribe, translate } from "./transcriptions.ts";

/** What OpenAI's API does beside chats, https://api.openai.com; other providers that speak this wire take the same paths. */
export const openaiRuns: Emulator = {
  credentials: [bearer, { kind: "header", name: "x-api-key", prefix: "" }],
  routes: [
    { method: "POST", path: "/v1/images/generations", answer: generateImages },
    { method: "POST", path: "/v1/images/edits", answer: editImages },
    { method: "POST", path: "/v1/audio/speech", answer: speak },
    { method: "POST", path: "/v1/audio/transcriptions", answer: transcribe },
    { method: "POST", path: "/v1/audio/translations", answer: translate },
    { method: "POST", path: "/v1/embeddings", answer: embed },
  ],
  refuse: refuseAsOpenai,
  headers: (request) => headersFor(request.seed, 0),
  usageNames: ["usage", "duration"],
  speaksChat: true,
};
