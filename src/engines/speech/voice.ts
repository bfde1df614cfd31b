import type { InputValues } from "../input-values.ts";

/** How one voice is told from another of the same language: f1 to f5, m1 to m8, and some with names. */
const variant = /^(?:[fm]\d{1,2}|croak|whisper|whisperf)$/;
const name = /^[a-z\d][a-z\d_+-]{0,40}(?:\/[a-z\d][a-z\d_+-]{0,40})?$/;

/**
 * The voice as the program takes it, from `voice` (or `voice_id`) and `language`. A voice alone is a language (`de`,
 * `en-us`) or a language with a variant (`en-us+f3`); a variant alone joins the language. What could be an option of the
 * program or a path to a file is refused.
 */
export function voiceIn(inputs: InputValues): string {
  const voice = namedVoice(inputs);
  const language = languageIn(inputs);
  if (voice !== undefined && variant.test(voice)) return `${language ?? "en"}+${voice}`;
  return voice ?? language ?? "en";
}

function namedVoice(inputs: InputValues): string | undefined {
  const member = inputs.has("voice_id") && !inputs.has("voice") ? "voice_id" : "voice";
  const voice = inputs.text(member, 80)?.toLowerCase();
  if (voice === undefined || name.test(voice)) return voice;
  throw inputs.refusal(member, `${member} is a name such as en-us, de or en+f3.`);
}

function languageIn(inputs: InputValues): string | undefined {
  const language = inputs.text("language", 40)?.toLowerCase().replaceAll("_", "-");
  if (language === undefined || /^[a-z]{2,3}(?:-[a-z\d]{1,8}){0,3}$/.test(language)) return language;
  throw inputs.refusal("language", "language is a code such as en or pt-br.");
}
