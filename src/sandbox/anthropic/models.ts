import { Refusal } from "../refusal.ts";
import { generationOf } from "./versions.ts";

/** Models listed by name; any other name is answered as well. */
const names: readonly (readonly [id: string, name: string])[] = [
  ["claude-opus-5", "Claude Opus 5"],
  ["claude-sonnet-5", "Claude Sonnet 5"],
  ["claude-opus-4-7", "Claude Opus 4.7"],
  ["claude-sonnet-4-6", "Claude Sonnet 4.6"],
  ["claude-haiku-4-5", "Claude Haiku 4.5"],
];

function listed(id: string, name: string): Readonly<Record<string, unknown>> {
  const { mostTokens, hasAdaptive, hasBudget } = generationOf(id);
  const supported = (isSupported: boolean): unknown => ({ supported: isSupported });
  return {
    type: "model",
    id,
    display_name: name,
    created_at: "2026-01-01T00:00:00Z",
    max_input_tokens: 200_000,
    max_tokens: mostTokens,
    capabilities: {
      image_input: supported(true),
      pdf_input: supported(true),
      structured_outputs: supported(true),
      thinking: {
        supported: true,
        types: { adaptive: supported(hasAdaptive), enabled: supported(hasBudget) },
      },
    },
  };
}

export function models(): unknown {
  return {
    data: names.map(([id, name]) => listed(id, name)),
    has_more: false,
    first_id: names[0]?.[0] ?? null,
    last_id: names.at(-1)?.[0] ?? null,
  };
}

export function modelNamed(id: string): unknown {
  refuseMissing(id);
  return listed(id, names.find(([known]) => known === id)?.[1] ?? id);
}

/** Names that begin with `missing-` stand for models that do not exist. */
export function refuseMissing(model: string): void {
  if (model.startsWith("missing-")) throw new Refusal(404, `model: ${model}`);
}
