import type { Problem } from "../../core/problems.ts";
import type { InputValues } from "../input-values.ts";
import type { InstalledVoices } from "./installed-voices.ts";

/** As they were asked for, in lower case. */
export type VoiceWish = {
  readonly voice: string | undefined;
  readonly language: string | undefined;
  /** A refusal of one of the two. */
  readonly refuse: (which: "voice" | "language", message: string) => Problem;
};

/** What is no option of the program and no path to a file. */
const name = /^[a-z\d][a-z\d_+()-]{0,40}(?:\/[a-z\d][a-z\d_+-]{0,40})?$/;
const code = /^[a-z]{2,4}(?:-[a-z\d]{1,8}){0,3}$/;
const usualVariant = /^(?:[fm]\d{1,2}|croak|whisper|whisperf)$/;
const usualLanguage = "en";
const mostNear = 5;

/** From `voice` (or `voice_id`) and `language`. What could be an option of the program or a path is refused. */
export function voiceWish(inputs: InputValues): VoiceWish {
  const member = inputs.has("voice_id") && !inputs.has("voice") ? "voice_id" : "voice";
  const voice = inputs.text(member, 80)?.trim().toLowerCase();
  if (voice !== undefined && !name.test(voice))
    throw inputs.refusal(member, `${member} is a name such as en-us, de or en+f3.`);
  const language = inputs.text("language", 40)?.toLowerCase().replaceAll("_", "-");
  if (language !== undefined && !code.test(language))
    throw inputs.refusal("language", "language is a code such as en or pt-br.");
  const refuse: VoiceWish["refuse"] = (which, message) =>
    inputs.refusal(which === "voice" ? member : which, message);
  return { voice, language, refuse };
}

/**
 * The voice as the program takes it. A voice alone is a language (`de`, `en-us`) or a language with a variant
 * (`en-us+f3`); a variant alone joins the language. One that is not installed is refused, with names like it.
 */
export function spokenVoice(wish: VoiceWish, installed: InstalledVoices | undefined): string {
  return installed === undefined ? asAsked(wish) : installedVoice(wish, installed);
}

function asAsked({ voice, language }: VoiceWish): string {
  if (voice !== undefined && usualVariant.test(voice)) return `${language ?? usualLanguage}+${voice}`;
  return voice ?? language ?? usualLanguage;
}

function installedVoice(
  { voice, language, refuse }: VoiceWish,
  { languages, variants }: InstalledVoices,
): string {
  const spoken = language === undefined ? usualLanguage : languageLike(language, languages);
  if (spoken === undefined)
    throw refuse("language", `This language is not spoken here; ${nearest(language ?? "", languages)}`);
  if (voice === undefined) return spoken;
  const alone = variants.get(voice);
  if (alone !== undefined) return `${spoken}+${alone}`;
  const [first = "", ...rest] = voice.split("+");
  const base = languageLike(first, languages);
  if (base === undefined) throw refuse("voice", `There is no such voice here; ${nearest(first, languages)}`);
  if (rest.length === 0) return base;
  const variant = variants.get(rest.join("+"));
  if (variant === undefined)
    throw refuse("voice", `There is no such variant of a voice; ${nearest(rest.join("+"), variants)}`);
  return `${base}+${variant}`;
}

/** `de` for `de-at`, where that is not spoken in a way of its own. */
function languageLike(asked: string, languages: InstalledVoices["languages"]): string | undefined {
  const found = languages.get(asked);
  if (found !== undefined || !code.test(asked) || !asked.includes("-")) return found;
  return languageLike(asked.slice(0, asked.lastIndexOf("-")), languages);
}

/** Those that begin as more than half of the asked one does, short names first, or else some that many want. */
function nearest(asked: string, known: ReadonlyMap<string, string>): string {
  for (let length = asked.length; length > asked.length / 2; length -= 1) {
    const alike = [...known].flatMap(([one, own]) => (one.startsWith(asked.slice(0, length)) ? own : []));
    const names = [...new Set(alike)].toSorted((one, other) => one.length - other.length);
    if (names.length > 0) return `near ones are ${names.slice(0, mostNear).join(", ")}.`;
  }
  const usual = ["en", "en-us", "de", "fr", "es", "f1", "f2", "m1", "m2"].flatMap(
    (one) => known.get(one) ?? [],
  );
  return `known are ${usual.slice(0, mostNear).join(", ")} and others.`;
}
