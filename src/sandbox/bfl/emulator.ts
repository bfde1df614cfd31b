import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { refuseAsBfl } from "./errors.ts";
import { getResult } from "./result.ts";
import { submit } from "./submit.ts";

/** Black Forest Labs, https://api.bfl.ai. */
export const bfl: Emulator = {
  credentials: [{ kind: "header", name: "x-key", prefix: "" }],
  routes: [
    { method: "GET", path: "/v1/get_result", answer: getResult },
    { method: "GET", path: "/v1/credits", answer: () => json({ credits: 1_000 }) },
    { method: "POST", path: "/v1/{model}", answer: submit },
  ],
  refuse: refuseAsBfl,
  usageNames: ["cost", "input_mp", "output_mp"],
};
