import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { embed } from "./embeddings.ts";
import { rerank } from "./rerank.ts";

/** Jina AI, https://api.jina.ai. A refusal is `{detail}`. */
export const jina: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/embeddings", answer: embed },
    { method: "POST", path: "/v1/rerank", answer: rerank },
  ],
  refuse: ({ status, message }) =>
    json(
      { detail: status === 401 ? "Invalid API key, please get a new one from jina.ai" : message },
      { status },
    ),
  usageNames: ["usage"],
};
