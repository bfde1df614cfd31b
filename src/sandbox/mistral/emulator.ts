import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { embed } from "./embeddings.ts";
import { refuseAsMistral } from "./errors.ts";
import { readDocument } from "./ocr.ts";

/** Mistral, https://api.mistral.ai, beside chats, which the OpenAI wire serves under the same id. */
export const mistral: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/ocr", answer: readDocument },
    { method: "POST", path: "/v1/embeddings", answer: embed },
  ],
  refuse: refuseAsMistral,
  usageNames: ["usage", "usage_info"],
  speaksChat: true,
};
