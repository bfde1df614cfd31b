import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { datasetItems } from "./dataset.ts";
import { refuseAsApify } from "./errors.ts";
import { abortRun, runStatus, startRun } from "./runs.ts";

/** Apify, version 2, https://api.apify.com. */
export const apify: Emulator = {
  credentials: [bearer, { kind: "query", name: "token" }],
  routes: [
    { method: "POST", path: "/v2/actors/{actor}/runs", answer: startRun },
    { method: "POST", path: "/v2/acts/{actor}/runs", answer: startRun },
    { method: "GET", path: "/v2/actor-runs/{run}", answer: runStatus },
    { method: "POST", path: "/v2/actor-runs/{run}/abort", answer: abortRun },
    { method: "GET", path: "/v2/datasets/{dataset}/items", answer: datasetItems },
    {
      method: "GET",
      path: "/v2/users/me",
      answer: () => json({ data: { username: "sandbox", plan: { id: "FREE" } } }),
    },
  ],
  refuse: refuseAsApify,
  usageNames: ["usageTotalUsd", "usageUsd"],
};
