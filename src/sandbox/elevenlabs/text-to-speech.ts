import { checkFields } from "../field-rules.ts";
import type { FieldRules } from "../field-rules.ts";
import { stringOr } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { spokenMs } from "../speech/spoken.ts";
import { modelNamed } from "./models.ts";
import { soundAnswer } from "./output-format.ts";

const rules: FieldRules = {
  text: { is: "text", isRequired: true },
  model_id: { is: "text" },
  voice_settings: { is: "object" },
  language_code: { is: "text" },
  seed: { is: "integer", least: 0, most: 4_294_967_295 },
  previous_text: { is: "text" },
  next_text: { is: "text" },
};

/** POST /v1/text-to-speech/{voice_id}. What is charged is in `character-cost`: the faster models cost half. */
export async function speak(request: RunRequest): Promise<RunAnswer> {
  return await spoken(request, false);
}

/** POST /v1/text-to-speech/{voice_id}/stream. */
export async function speakAsStream(request: RunRequest): Promise<RunAnswer> {
  return await spoken(request, true);
}

async function spoken(request: RunRequest, isStreamed: boolean): Promise<RunAnswer> {
  const body = request.json();
  checkFields(body, rules, 422);
  const voice = request.in("voice");
  if (voice.startsWith("missing")) {
    throw new Refusal(404, `A voice with the voice_id ${voice} was not found.`, { code: "voice_not_found" });
  }
  const model = modelNamed(stringOr(body["model_id"], "eleven_multilingual_v2"));
  const text = stringOr(body["text"], "");
  if (text.length > model.maximumTextLength) {
    throw new Refusal(400, `The text is longer than ${model.maximumTextLength} characters.`, {
      code: "max_character_limit_exceeded",
    });
  }
  const headers = { "character-cost": String(Math.ceil(text.length * model.costFactor)) };
  return await soundAnswer(request, { ms: spokenMs(text), headers, isStreamed });
}
