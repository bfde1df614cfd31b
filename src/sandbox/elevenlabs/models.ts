import { Refusal } from "../refusal.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";

export type SpeechModel = {
  readonly id: string;
  readonly name: string;
  /** Characters per request. */
  readonly maximumTextLength: number;
  /** Credits per character. */
  readonly costFactor: number;
};

const models: readonly SpeechModel[] = [
  { id: "eleven_v3", name: "Eleven v3", maximumTextLength: 5_000, costFactor: 1 },
  { id: "eleven_multilingual_v2", name: "Eleven Multilingual v2", maximumTextLength: 10_000, costFactor: 1 },
  { id: "eleven_flash_v2_5", name: "Eleven Flash v2.5", maximumTextLength: 40_000, costFactor: 0.5 },
  { id: "eleven_turbo_v2_5", name: "Eleven Turbo v2.5", maximumTextLength: 40_000, costFactor: 0.5 },
  { id: "eleven_flash_v2", name: "Eleven Flash v2", maximumTextLength: 30_000, costFactor: 0.5 },
];

export function modelNamed(id: string): SpeechModel {
  const model = models.find((one) => one.id === id);
  if (model !== undefined) return model;
  throw new Refusal(400, `A model with the model_id ${id} does not exist.`, { code: "model_not_found" });
}

/** GET /v1/models. */
export function listModels(): RunAnswer {
  return json(
    models.map(({ id, name, maximumTextLength, costFactor }) => ({
      model_id: id,
      name,
      can_do_text_to_speech: true,
      can_do_voice_conversion: false,
      max_characters_request_subscribed_user: maximumTextLength,
      maximum_text_length_per_request: maximumTextLength,
      token_cost_factor: costFactor,
      languages: [{ language_id: "en", name: "English" }],
    })),
  );
}
