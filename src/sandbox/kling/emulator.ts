import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsKling } from "./errors.ts";
import { getTask } from "./tasks.ts";
import { submitPicture, submitVideo } from "./submit.ts";

/** Kling AI, https://api-singapore.klingai.com. */
export const kling: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/videos/text2video", answer: submitVideo("text") },
    { method: "POST", path: "/v1/videos/image2video", answer: submitVideo("image") },
    { method: "POST", path: "/v1/images/generations", answer: submitPicture },
    { method: "GET", path: "/v1/videos/{kind}/{id}", answer: getTask },
    { method: "GET", path: "/v1/images/generations/{id}", answer: getTask },
  ],
  refuse: refuseAsKling,
  usageNames: ["final_unit_deduction"],
};
