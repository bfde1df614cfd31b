import { isJsonObject } from "../core/json-object.ts";
import type { JsonObject } from "../core/json-object.ts";
import type { RunModel } from "../core/model.ts";
import { Problem } from "../core/problems.ts";
import { fits, fitted, inputOf, listedValues } from "./fitted-inputs.ts";
import type { FittedInputs, Vocabulary } from "./fitted-inputs.ts";

/** The voices that OpenAI's clients know by name; other models have others. */
const knownVoices = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split(" ");

/** Sounds that OpenAI names, as models write them that name sample and bit rates as well. */
const ratedForms: Readonly<Record<string, string>> = {
  mp3: "mp3_44100_128",
  opus: "opus_48000_128",
  pcm: "pcm_24000",
  wav: "wav_24000",
};

const vocabulary: Vocabulary = { instructions: [], user: [] };

/** Members that are read here, and those that the door itself answers to. */
const own: ReadonlySet<string> = new Set(["model", "voice", "response_format", "speed", "stream_format"]);

/** OpenAI's request for speech as inputs of any model that speaks. Throws for a form of sound that it does not make. */
export function speechInputs(model: RunModel, body: JsonObject): FittedInputs {
  const others = Object.entries(body).filter(([name]) => !own.has(name));
  const { inputs, dropped } = fitted(model, Object.fromEntries(others), vocabulary);
  const voice = voiceInput(model, body["voice"]);
  const response_format = formatInput(model, body["response_format"] ?? undefined);
  const speed = speedInput(model, body["speed"] ?? undefined);
  const found = { voice, response_format, speed };
  const missing = Object.entries(found).flatMap(([name, input]) => (input === undefined ? [name] : []));
  return {
    inputs: { ...inputs, ...voice, ...response_format, ...speed },
    dropped: [...dropped, ...missing],
  };
}

/** A voice may be named, or be an object with an id. One of OpenAI's that the model does not have is left out. */
function voiceInput(model: RunModel, given: unknown): JsonObject | undefined {
  const voice = isJsonObject(given) ? given["id"] : (given ?? undefined);
  if (voice === undefined) return {};
  const name = ["voice", "voice_id"].find((one) => inputOf(model, one) !== undefined);
  if (name === undefined) return undefined;
  const isForeign = typeof voice === "string" && knownVoices.includes(voice) && !hasVoice(model, name, voice);
  return isForeign ? undefined : { [name]: voice };
}

/** A model that cannot list its voices shows examples of them: then its voices are of another kind. */
function hasVoice(model: RunModel, name: string, voice: string): boolean {
  const examples = inputOf(model, name)?.["examples"];
  return fits(model, name, voice) && (!Array.isArray(examples) || examples.includes(voice));
}

/** Undefined for a model that has one form only: the answer says which. */
function formatInput(model: RunModel, format: unknown): JsonObject | undefined {
  if (typeof format !== "string") return {};
  const names = ["response_format", "format", "output_format"].filter((one) => namesForms(model, one));
  if (names.length === 0) return undefined;
  for (const name of names) {
    const isRated = /^[a-z0-9]+_\d{4,5}/.test(String(inputOf(model, name)?.["default"]));
    const written = isRated ? ratedForms[format] : format;
    if (written !== undefined && fits(model, name, written)) return { [name]: written };
  }
  throw new Problem("invalid_request", {
    param: "response_format",
    message: "response_format: this model does not make this form of sound.",
  });
}

/** Some models have an input of this name for something else, such as how the sound is handed over. */
function namesForms(model: RunModel, name: string): boolean {
  const listed = listedValues(model, name);
  const isOther =
    listed.length > 0 && !listed.some((one) => /^(?:mp3|wav|pcm|flac|opus|ogg)/.test(String(one)));
  return inputOf(model, name) !== undefined && !isOther;
}

function speedInput(model: RunModel, speed: unknown): JsonObject | undefined {
  if (speed === undefined) return {};
  if (inputOf(model, "speed") !== undefined) return { speed };
  if (inputOf(model, "voice_settings") !== undefined) return { voice_settings: { speed } };
  return speed === 1 ? {} : undefined;
}
