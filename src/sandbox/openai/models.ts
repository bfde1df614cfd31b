import { Refusal } from "../refusal.ts";

const madeAt = 1_735_689_600;

/** Models listed by name; any other name is answered as well. */
const openaiModels: readonly { readonly id: string; readonly shutdown_date?: string }[] = [
  { id: "gpt-6" },
  { id: "gpt-6-luna" },
  { id: "gpt-5", shutdown_date: "2026-12-11" },
  { id: "gpt-4o", shutdown_date: "2027-01-14" },
  { id: "gpt-4o-mini", shutdown_date: "2027-01-14" },
];

type ListedModel = {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  readonly shutdown_date?: string;
};

function listed(provider: string): readonly ListedModel[] {
  const models =
    provider === "openai" ? openaiModels : [{ id: `${provider}-large` }, { id: `${provider}-small` }];
  return models.map((model) => ({ ...model, object: "model", created: madeAt, owned_by: provider }));
}

export function modelsOf(provider: string): unknown {
  return { object: "list", data: listed(provider) };
}

export function modelNamed(id: string, provider: string): ListedModel {
  refuseMissing(id);
  const known = listed(provider).find((model) => model.id === id);
  return known ?? { id, object: "model", created: madeAt, owned_by: provider };
}

/** Names that begin with `missing-` stand for models that do not exist. */
export function refuseMissing(model: string): void {
  if (!model.startsWith("missing-")) return;
  throw new Refusal(404, `There is no model ${JSON.stringify(model)}.`, {
    param: "model",
    code: "model_not_found",
  });
}
