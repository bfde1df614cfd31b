import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { embed } from "./embeddings.ts";
import { rerank } from "./rerank.ts";

/** Voyage AI, https://api.voyageai.com. A refusal is `{detail}`. */
export const voyage: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/embeddings", answer: embed },
    { method: "POST", path: "/v1/rerank", answer: rerank },
  ],
  refuse: ({ status, message }) =>
    json({ detail: status === 401 ? "Provided API key is invalid." : message }, { status }),
  usageNames: ["usage"],
};
