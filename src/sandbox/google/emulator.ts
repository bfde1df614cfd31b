import type { Emulator, Route } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsGoogle } from "./errors.ts";
import { generateContent } from "./generate-content.ts";
import { downloadFile, operation, predictLongRunning } from "./video.ts";

function routesOf(version: string): readonly Route[] {
  return [
    { method: "POST", path: `/${version}/models/{model}:predictLongRunning`, answer: predictLongRunning },
    { method: "GET", path: `/${version}/models/{model}/operations/{id}`, answer: operation },
    { method: "POST", path: `/${version}/models/{model}:generateContent`, answer: generateContent },
    { method: "GET", path: `/${version}/files/{id}:download`, answer: downloadFile },
  ];
}

/**
 * The Gemini API, https://generativelanguage.googleapis.com, as far as it makes videos, pictures and sounds. Chats under the
 * same id are served by the OpenAI wire, as on the API's compatible side.
 */
export const google: Emulator = {
  credentials: [
    { kind: "header", name: "x-goog-api-key", prefix: "" },
    { kind: "query", name: "key" },
    bearer,
  ],
  routes: [...routesOf("v1beta"), ...routesOf("v1")],
  refuse: refuseAsGoogle,
  usageNames: ["usageMetadata"],
  speaksChat: true,
};
