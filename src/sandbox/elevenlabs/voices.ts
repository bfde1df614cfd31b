import { fingerprintOf } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";

const names = ["Ada", "Bruno", "Chiara", "Dimitri", "Eun-ji"];

function voicesFor(request: RunRequest): readonly JsonObject[] {
  return names.map((name) => {
    const seed = fingerprintOf(name);
    return {
      voice_id: seed.slice(0, 20),
      name,
      category: "premade",
      labels: { language: "en", use_case: "narration" },
      description: `${name} speaks clearly and calmly.`,
      preview_url: request.fileUrl({ kind: "mp3", seed, ms: 3_000 }),
      settings: { stability: 0.5, similarity_boost: 0.75, style: 0, use_speaker_boost: true, speed: 1 },
    };
  });
}

/** GET /v1/voices. */
export function listVoices(request: RunRequest): RunAnswer {
  return json({ voices: voicesFor(request) });
}

/** GET /v2/voices?search=&page_size=. */
export function searchVoices(request: RunRequest): RunAnswer {
  const search = (request.query.get("search") ?? "").toLowerCase();
  const found = voicesFor(request).filter(({ name }) => String(name).toLowerCase().includes(search));
  const size = Math.max(1, Number(request.query.get("page_size") ?? 10));
  return json({
    voices: found.slice(0, size),
    has_more: found.length > size,
    total_count: found.length,
    next_page_token: null,
  });
}
