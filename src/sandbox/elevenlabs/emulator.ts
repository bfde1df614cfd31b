import type { Emulator } from "../emulator.ts";
import { json } from "../run-answer.ts";
import { bearer } from "../worn-credential.ts";
import { refuseAsElevenlabs } from "./errors.ts";
import { listModels } from "./models.ts";
import { makeMusic, makeSound, streamMusic } from "./sounds.ts";
import { transcribe } from "./speech-to-text.ts";
import { speak, speakAsStream } from "./text-to-speech.ts";
import { listVoices, searchVoices } from "./voices.ts";

/** ElevenLabs, https://api.elevenlabs.io. */
export const elevenlabs: Emulator = {
  credentials: [{ kind: "header", name: "xi-api-key", prefix: "" }, bearer],
  routes: [
    { method: "POST", path: "/v1/text-to-speech/{voice}", answer: speak },
    { method: "POST", path: "/v1/text-to-speech/{voice}/stream", answer: speakAsStream },
    { method: "POST", path: "/v1/speech-to-text", answer: transcribe },
    { method: "POST", path: "/v1/sound-generation", answer: makeSound },
    { method: "POST", path: "/v1/music", answer: makeMusic },
    { method: "POST", path: "/v1/music/stream", answer: streamMusic },
    { method: "GET", path: "/v1/voices", answer: listVoices },
    { method: "GET", path: "/v2/voices", answer: searchVoices },
    { method: "GET", path: "/v1/models", answer: listModels },
    {
      method: "GET",
      path: "/v1/user/subscription",
      answer: () => json({ tier: "creator", character_count: 0, character_limit: 100_000, status: "active" }),
    },
  ],
  refuse: refuseAsElevenlabs,
  headers: (request) => ({ "request-id": request.seed.slice(0, 20) }),
  usageNames: ["character-cost", "audio_duration_secs"],
};
