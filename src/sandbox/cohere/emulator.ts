import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { embed } from "./embed.ts";
import { refuseAsCohere } from "./errors.ts";
import { rerank } from "./rerank.ts";

/** Cohere's second version, https://api.cohere.com, beside chats. */
export const cohere: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v2/embed", answer: embed },
    { method: "POST", path: "/v2/rerank", answer: rerank },
  ],
  refuse: refuseAsCohere,
  headers: (request) => ({ "x-debug-trace-id": request.seed.slice(0, 32) }),
  usageNames: ["billed_units"],
  speaksChat: true,
};
