import { filesOf } from "../hosting/model-output.ts";
import type { Job } from "../job.ts";
import { stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { contentTypeOf, extensionOf } from "../media/media-file.ts";
import type { MediaFile } from "../media/media-file.ts";
import { Refusal } from "../refusal.ts";
import type { RunRequest } from "../run-request.ts";
import { transcriptOf } from "../speech/transcript.ts";
import { sentencesOn } from "../web/prose.ts";

const transcriptMs = 20_000;
const flagged =
  "The content could not be processed because it contained material flagged by a content checker.";

/** As the status tells it as well, of work that was begun and failed. */
export const failure = { error: "The runner failed.", error_type: "runner_server_error" };

export type Result = { readonly body: JsonObject; readonly billableUnits: number };

/** What a model gives back, in the shape of its kind. Failures come out here, not at the status: 422 with details. */
export function resultOf(job: Job, request: RunRequest): Result {
  refuseFaulty(job);
  const files = filesOf(job).map((file) => described(file, request.fileUrlOf(job, file)));
  const [first] = files;
  const seed = Number.parseInt(job.seed.slice(0, 7), 16);
  switch (job.facts["kind"]) {
    case "pictures":
    case "picture":
    case "drawing":
      return {
        body: {
          images: files,
          timings: { inference: job.workMs / 1_000 },
          seed,
          has_nsfw_concepts: files.map(() => false),
          prompt: stringOr(job.facts["prompt"], ""),
        },
        billableUnits: files.length,
      };
    case "edited":
    case "traced":
      return { body: { image: first }, billableUnits: 1 };
    case "video":
      return { body: { video: first, seed }, billableUnits: Number(job.facts["seconds"]) };
    case "sound":
      return { body: { audio: first }, billableUnits: Math.ceil(Number(job.facts["ms"]) / 1_000) };
    case "transcript": {
      const { text, seconds } = transcriptOf(job.seed, transcriptMs);
      return { body: { text, chunks: [{ timestamp: [0, seconds], text }] }, billableUnits: seconds };
    }
    default:
      return {
        body: { output: sentencesOn("A model's answer", 2, job.seed).join(" "), error: null },
        billableUnits: 1,
      };
  }
}

function refuseFaulty({ state, facts }: Job): void {
  if (typeof facts["missing"] === "string") {
    throw new Refusal(422, "Field required", { param: facts["missing"], code: "missing" });
  }
  if (state === "refused") {
    throw new Refusal(422, flagged, { param: "prompt", code: "content_policy_violation" });
  }
  if (state === "failed") throw new Refusal(500, failure.error, { code: failure.error_type });
}

function described(file: MediaFile, url: string): JsonObject {
  const size = "width" in file && file.kind !== "mp4" ? { width: file.width, height: file.height } : {};
  const name = "seed" in file ? file.seed.slice(0, 12) : "file";
  return { url, ...size, content_type: contentTypeOf(file), file_name: `${name}.${extensionOf(file)}` };
}
