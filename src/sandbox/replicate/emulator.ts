import { fingerprintOf } from "../answers/random.ts";
import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsReplicate } from "./errors.ts";
import { getFile, uploadFile } from "./files.ts";
import { cancelPrediction, getPrediction, predictWithModel, predictWithVersion } from "./predictions.ts";

/** Replicate, https://api.replicate.com. */
export const replicate: Emulator = {
  credentials: [bearer, { kind: "header", name: "authorization", prefix: "Token " }],
  routes: [
    { method: "POST", path: "/v1/models/{owner}/{name}/predictions", answer: predictWithModel },
    { method: "GET", path: "/v1/models/{owner}/{name}", answer: getModel },
    { method: "POST", path: "/v1/predictions", answer: predictWithVersion },
    { method: "GET", path: "/v1/predictions/{id}", answer: getPrediction },
    { method: "POST", path: "/v1/predictions/{id}/cancel", answer: cancelPrediction },
    { method: "POST", path: "/v1/files", answer: uploadFile },
    { method: "GET", path: "/v1/files/{id}", answer: getFile },
    {
      method: "GET",
      path: "/v1/account",
      answer: () => json({ type: "organization", username: "sandbox", name: "Sandbox" }),
    },
  ],
  refuse: refuseAsReplicate,
  usageNames: ["metrics"],
};

function getModel(request: RunRequest): RunAnswer {
  const owner = request.in("owner");
  const name = request.in("name");
  return json({
    url: `https://replicate.com/${owner}/${name}`,
    owner,
    name,
    description: `The model ${name}.`,
    visibility: "public",
    run_count: 1_000,
    default_example: null,
    latest_version: { id: fingerprintOf(`${owner}/${name}`), created_at: "2026-01-01T00:00:00Z" },
  });
}
