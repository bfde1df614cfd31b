import { z } from "zod";
import { mayCall, unknownModel } from "../calls/find-model.ts";
import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Mode } from "../core/caller.ts";
import type { Alias, ChatModel, Model, Offer, RunModel, RunOffer } from "../core/model.ts";
import { formatCredits } from "../core/credits.ts";
import { costOf } from "../core/price.ts";
import type { Price, Rate } from "../core/price.ts";
import { Problem } from "../core/problems.ts";
import { model, modelList } from "./answer-schemas.ts";
import { withBody } from "./door.ts";
import type { Door, DoorAnswer, Visit } from "./door.ts";
import { modelTypes } from "./model-types.ts";
import { listIn, partsOf } from "./query.ts";

export type ModelsHouse = {
  readonly catalog: Catalog;
  readonly creditUsd: string;
  /** Whether a call of this mode could be served now. */
  readonly isServed: (offer: Offer, model: ChatModel, mode: Mode) => boolean;
  readonly isRunServed: (offer: RunOffer, mode: Mode) => boolean;
  /** Where the customer reached us. */
  readonly publicUrlOf: (visit: Visit<unknown>) => string;
};

const listed = {
  access: "caller",
  query: ["types", "type", "ids"],
  answers: "`data` for OpenAI's SDKs; `models`, `count` and `available_types` for SkillBoss clients.",
  answerForm: modelList,
} as const;

/** What older clients send; the key among it is no credential here. */
const listWish = z.looseObject({ types: wishedNames(), ids: wishedNames() });

function wishedNames() {
  return z.union([z.string(), z.array(z.string())]).nullish();
}

/** `GET /v1/models`: one object that OpenAI's SDKs and the SkillBoss clients can all read. */
export function modelsDoors(house: ModelsHouse): readonly Door[] {
  const list = (visit: Visit<unknown>): DoorAnswer => listOf(house, visit, visit.query);
  return [
    {
      ...listed,
      method: "GET",
      path: "/v1/models",
      summary:
        "All models that the key may call, with prices and capabilities. `?types=chat,image` and `?ids=a,b` choose some.",
      answer: list,
    },
    {
      ...listed,
      method: "GET",
      path: "/v1/v1/models",
      summary: "The same for clients that add the version to an address that has it.",
      answer: list,
    },
    {
      ...listed,
      method: "POST",
      path: "/v1/models",
      summary: "The same for clients that send `types` and `ids` in a body.",
      ...withBody(listWish, (visit) => listOf(house, visit, wishOf(visit.body))),
    },
    oneDoor(house),
  ];
}

function oneDoor(house: ModelsHouse): Door {
  return {
    method: "GET",
    path: "/v1/models/{id...}",
    access: "caller",
    summary: "One model by id or alias; slashes in the id stay as they are.",
    answers: "The model, as in the list, with an example call.",
    answerForm: model,
    answer(visit) {
      const { id = "" } = visit.parameters;
      const found = house.catalog.find(id);
      if (found === undefined) throw unknownModel("id", id, house.catalog);
      if (!mayCall(visit.caller(), found.model)) throw new Problem("model_not_allowed", { param: "id" });
      return {
        status: 200,
        body: { ...shownModel(found, house, visit), ...exampleOf(found, house.publicUrlOf(visit)) },
      };
    },
  };
}

/** Members of a body as the parameters of an address. */
function wishOf({ types, ids }: z.output<typeof listWish>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, wish] of Object.entries({ types, ids }))
    if (wish !== undefined && wish !== null) query.set(name, String(wish));
  return query;
}

function listOf(house: ModelsHouse, visit: Visit<unknown>, query: URLSearchParams): DoorAnswer {
  const caller = visit.caller();
  const callable = house.catalog.models.filter((model) => mayCall(caller, model));
  const all = callable.flatMap(names).map((found) => shownModel(found, house, visit));
  const models = chosen(all, query, house.catalog);
  return {
    status: 200,
    body: {
      object: "list",
      data: models,
      models,
      count: models.length,
      available_types: countedTypes(all),
    },
  };
}

type ShownModel = ReturnType<typeof shownModel>;

/** The model itself, and those of its aliases that are names customers know it by. */
function names(model: Model): readonly Found[] {
  return [
    { model, alias: undefined },
    ...model.aliases.filter((alias) => alias.listed).map((alias) => ({ model, alias })),
  ];
}

function chosen(
  models: readonly ShownModel[],
  query: URLSearchParams,
  catalog: Catalog,
): readonly ShownModel[] {
  const known = ["all", ...new Set([...modelTypes, ...catalog.models.map(({ category }) => category)])];
  const types = listIn(query, query.has("types") ? "types" : "type", known);
  const ids = partsOf(query.get("ids"));
  return models.filter(
    (model) =>
      (types.length === 0 || types.includes("all") || types.includes(model.type)) &&
      (ids.length === 0 || ids.includes(model.id)),
  );
}

function countedTypes(models: readonly ShownModel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of models) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

function shownModel({ model, alias }: Found, house: ModelsHouse, visit: Visit<unknown>) {
  const price = priceOf(model);
  const id = alias?.id ?? model.id;
  return {
    id,
    model_id: id,
    object: "model",
    created: createdOf(model),
    owned_by: model.id.split("/")[0] ?? model.id,
    type: model.category,
    name: model.name,
    display_name: model.name,
    description: model.description,
    ...aliasMembers(model, alias),
    ...(model.kind === "chat" ? chatMembers(model) : runMembers(model)),
    available: isAvailable(model, house, visit.caller().mode),
    providers: model.offers.map((one) => one.provider.id),
    prices: price.map((rate) => shownRate(rate, house.creditUsd)),
    pricing: flatPricing(price),
    lifecycle: {
      state: model.lifecycle.state,
      shutdown: model.lifecycle.shutdown ?? null,
      replacement: model.lifecycle.replacement ?? null,
    },
    doc: model.doc?.startsWith("/") === true ? house.publicUrlOf(visit) + model.doc : (model.doc ?? null),
  };
}

/** Seconds since 1970 of the day that our facts of it are from: providers do not tell when they made it. */
function createdOf({ asOf }: Model): number {
  return asOf === undefined ? 0 : Date.parse(asOf) / 1000;
}

/** What it costs where it is served first. */
function priceOf(model: Model): Price {
  return model.offers[0]?.price ?? (model.kind === "run" ? model.retail : []);
}

function isAvailable(model: Model, house: ModelsHouse, mode: Mode): boolean {
  return model.kind === "chat"
    ? model.offers.some((offer) => house.isServed(offer, model, mode))
    : model.offers.some((offer) => house.isRunServed(offer, mode));
}

function chatMembers(model: ChatModel) {
  return {
    context_window: model.contextWindow,
    max_output: model.maxOutput,
    capabilities: {
      streaming: true,
      tools: model.capabilities.tools,
      forced_tools: model.capabilities.tools && model.capabilities.forcedTools,
      vision: model.capabilities.vision,
      pdf: model.capabilities.pdf,
      reasoning: model.capabilities.reasoning,
      structured_output: model.capabilities.structuredOutput,
    },
  };
}

function runMembers(model: RunModel) {
  return { context_window: 0, max_output: 0, capabilities: { streaming: false }, input_schema: model.inputs };
}

function aliasMembers(model: Model, alias: Alias | undefined) {
  if (alias === undefined) return { aliases: model.aliases.map((one) => one.id) };
  return {
    alias_of: model.id,
    alias_kind: alias.kind,
    ...(alias.note === undefined ? {} : { note: alias.note }),
  };
}

function shownRate(rate: Rate, creditUsd: string) {
  const credits = costOf(
    [{ meter: rate.meter, per: rate.per, usd: rate.usd }],
    { [rate.meter]: rate.per },
    creditUsd,
  );
  return {
    meter: rate.meter,
    per: rate.per,
    usd: rate.usd,
    credits: formatCredits(credits),
    ...(rate.when === undefined ? {} : { when: rate.when }),
  };
}

/** Label → USD: the flat map that known clients print. */
function flatPricing(price: Price): Record<string, number> {
  const usual = price.filter((rate) => rate.when === undefined);
  return Object.fromEntries(
    usual.map((rate) => [
      rate.per === 1 ? `${rate.meter}_usd` : `${rate.meter}_per_${rate.per}_usd`,
      Number(rate.usd),
    ]),
  );
}

function exampleOf({ model, alias }: Found, url: string) {
  const name = alias?.id ?? model.id;
  const isChat = model.kind === "chat";
  const path = isChat ? "/v1/chat/completions" : "/v1/run";
  const body = isChat
    ? { model: name, messages: [{ role: "user", content: "Hello" }] }
    : { model: name, inputs: model.example };
  // Within quotes of the shell, whatever an operator's example says.
  const quotable = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return {
    request_doc: isChat
      ? "An OpenAI chat completion request; see /openapi.json."
      : "`inputs` as in `input_schema`.",
    response_doc: isChat
      ? "An OpenAI chat.completion with _balance_warning and _remaining_credits."
      : "See the model's documentation.",
    curl_example: `curl ${url}${path} -H "Authorization: Bearer $SKILLBOSS_API_KEY" -H "Content-Type: application/json" -d '${quotable}'`,
  };
}
