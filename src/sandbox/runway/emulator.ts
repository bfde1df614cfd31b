import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsRunway } from "./errors.ts";
import { submitTo } from "./submit.ts";
import { deleteTask, getTask } from "./tasks.ts";

const limits = { tier: { maxMonthlyCreditSpend: 100_000, models: {} }, usage: { models: {} } };

/** Runway, https://api.dev.runwayml.com, as far as it makes videos and pictures. */
export const runway: Emulator = {
  credentials: [bearer],
  routes: [
    { method: "POST", path: "/v1/text_to_video", answer: submitTo("text_to_video") },
    { method: "POST", path: "/v1/image_to_video", answer: submitTo("image_to_video") },
    { method: "POST", path: "/v1/text_to_image", answer: submitTo("text_to_image") },
    { method: "GET", path: "/v1/tasks/{id}", answer: getTask },
    { method: "DELETE", path: "/v1/tasks/{id}", answer: deleteTask },
    { method: "GET", path: "/v1/organization", answer: () => json({ creditBalance: 10_000, ...limits }) },
  ],
  refuse: refuseAsRunway,
  usageNames: ["estimatedCost", "cost"],
};
