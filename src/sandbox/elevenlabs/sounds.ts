import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { Refusal } from "../refusal.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { soundAnswer } from "./output-format.ts";

const soundRules: FieldRules = {
  text: { is: "text", isRequired: true, least: 1 },
  duration_seconds: { is: "number", least: 0.5, most: 30 },
  prompt_influence: { is: "number", least: 0, most: 1 },
  loop: { is: "boolean" },
  model_id: { is: "text" },
};
const usualSeconds = 5;
/** Credits when the length is left open, and for each second when it is told. */
const creditsPerSound = 200;
const creditsPerSecond = 40;

/** POST /v1/sound-generation. */
export async function makeSound(request: RunRequest): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, soundRules, 422);
  const { duration_seconds: asked } = body;
  const seconds = typeof asked === "number" ? asked : usualSeconds;
  const cost = typeof asked === "number" ? Math.ceil(asked * creditsPerSecond) : creditsPerSound;
  const headers = { "character-cost": String(cost) };
  return await soundAnswer(request, { ms: seconds * 1_000, headers, isStreamed: false });
}

const musicRules: FieldRules = {
  prompt: { is: "text", most: 4_100 },
  composition_plan: { is: "object" },
  music_length_ms: { is: "integer", least: 3_000, most: 600_000 },
  model_id: { is: "text" },
  force_instrumental: { is: "boolean" },
};
const usualMusicMs = 30_000;

/** POST /v1/music. Nothing in the answer tells the price: it goes by length. */
export async function makeMusic(request: RunRequest): Promise<RunAnswer> {
  return await music(request, false);
}

/** POST /v1/music/stream. */
export async function streamMusic(request: RunRequest): Promise<RunAnswer> {
  return await music(request, true);
}

async function music(request: RunRequest, isStreamed: boolean): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, musicRules, 422);
  if (body["prompt"] === undefined && body["composition_plan"] === undefined) {
    throw new Refusal(400, "A prompt or a composition plan must be sent.", { code: "invalid_parameters" });
  }
  const ms = typeof body["music_length_ms"] === "number" ? body["music_length_ms"] : usualMusicMs;
  return await soundAnswer(request, { ms, headers: { "song-id": request.seed.slice(0, 20) }, isStreamed });
}
