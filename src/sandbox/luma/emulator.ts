import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsLuma } from "./errors.ts";
import { deleteGeneration, getGeneration } from "./generation.ts";
import { generateImage, generateVideo } from "./submit.ts";

const path = "/dream-machine/v1";
const concepts = ["dolly_zoom", "orbit_left", "push_in", "static"];

/** Luma's Dream Machine, https://api.lumalabs.ai. */
export const luma: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: `${path}/generations`, answer: generateVideo },
    { method: "POST", path: `${path}/generations/video`, answer: generateVideo },
    { method: "POST", path: `${path}/generations/image`, answer: generateImage },
    { method: "GET", path: `${path}/generations/concepts/list`, answer: () => json(concepts) },
    { method: "GET", path: `${path}/generations/{id}`, answer: getGeneration },
    { method: "DELETE", path: `${path}/generations/{id}`, answer: deleteGeneration },
    { method: "GET", path: `${path}/credits`, answer: () => json({ credit_balance: 100_000 }) },
    { method: "GET", path: `${path}/ping`, answer: () => json({ message: "pong" }) },
  ],
  refuse: refuseAsLuma,
};
