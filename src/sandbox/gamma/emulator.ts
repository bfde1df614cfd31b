import type { Emulator } from "../emulator.ts";
import { refuseAsGamma } from "./errors.ts";
import { sendSlides } from "./export-file.ts";
import { generate, getGeneration } from "./generations.ts";

/** Gamma, https://public-api.gamma.app. */
export const gamma: Emulator = {
  credentials: [{ kind: "header", name: "x-api-key", prefix: "" }],
  routes: [
    { method: "POST", path: "/v1.0/generations", answer: generate },
    { method: "GET", path: "/v1.0/generations/{id}", answer: getGeneration },
    { method: "GET", path: "/exports/{id}/slides.pptx", isOpen: true, answer: sendSlides },
  ],
  refuse: refuseAsGamma,
  headers: (request) => ({ "x-request-id": request.seed.slice(0, 24) }),
  usageNames: ["credits"],
};
