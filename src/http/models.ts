import { createHash } from "node:crypto";
import { z } from "zod";
import { mayCall, unknownModel } from "../calls/find-model.ts";
import type { Catalog, Found } from "../catalog/catalog.ts";
import type { Caller } from "../core/caller.ts";
import { Problem } from "../core/problems.ts";
import { model, modelList } from "./answer-schemas.ts";
import { withBody } from "./door.ts";
import type { Door, DoorAnswer, Query, Visit } from "./door.ts";
import { hasTag } from "./entity-tag.ts";
import { joinedTexts, listedModels } from "./listed-models.ts";
import type { ListedModel, ListedModels } from "./listed-models.ts";
import { modelTypes } from "./model-types.ts";
import { listIn, partsOf } from "./query.ts";
import { shownModel } from "./shown-model.ts";
import type { ShowingHouse } from "./shown-model.ts";

export type ModelsHouse = ShowingHouse & {
  readonly catalog: Catalog;
  /** Where the customer reached us. */
  readonly publicUrlOf: (visit: Visit<unknown>) => string;
};

const listed = {
  access: "caller",
  answers: "`data` for OpenAI's SDKs; `models`, `count` and `available_types` for SkillBoss clients.",
  answerForm: modelList,
} as const;

const someNames = z.string().describe("Several with commas between.");
const listQuery = { types: someNames, type: someNames, ids: someNames };

const got = {
  ...listed,
  query: listQuery,
  headers: { "If-None-Match": z.string().describe("An `ETag` that a list came with.") },
  otherAnswers: [
    { status: 304, answers: "The list is what `If-None-Match` says: it was sent with this `ETag`." },
  ],
} as const;

/** What older clients send; the key among it is no credential here. */
const listWish = z.looseObject({ types: wishedNames(), ids: wishedNames() });

function wishedNames() {
  return z.union([z.string(), z.array(z.string())]).nullish();
}

/** `GET /v1/models`: one object that OpenAI's SDKs and the SkillBoss clients can all read. */
export function modelsDoors(house: ModelsHouse): readonly Door[] {
  const modelsOf = listedModels(house.catalog, house);
  const listOf = (visit: Visit<unknown>, query: Query): List => {
    const listed = modelsOf(visit.caller().mode);
    return {
      listed,
      chosen: chosen(listed, visit.caller(), { query, catalog: house.catalog }),
      url: house.publicUrlOf(visit),
    };
  };
  const list = (visit: Visit<unknown>): DoorAnswer => unlessKnown(listOf(visit, visit.query), visit);
  return [
    {
      ...got,
      method: "GET",
      path: "/v1/models",
      summary:
        "All models that the key may call, with prices and capabilities. `?types=chat,image` and `?ids=a,b` choose some.",
      answer: list,
    },
    {
      ...got,
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
      ...withBody(listWish, (visit) => answerOf(listOf(visit, wishOf(visit.body)))),
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
      const url = house.publicUrlOf(visit);
      return {
        status: 200,
        body: { ...shownModel(found, house, { mode: visit.caller().mode, url }), ...exampleOf(found, url) },
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

type List = {
  readonly listed: ListedModels;
  readonly chosen: Chosen;
  /** Where the customer reached us. */
  readonly url: string;
};

type Chosen = {
  readonly models: readonly ListedModel[];
  /** How many of each type the key may call, chosen or not. */
  readonly types: Readonly<Record<string, number>>;
};

type Choice = { readonly query: Query; readonly catalog: Catalog };

function chosen({ all }: ListedModels, caller: Caller, { query, catalog }: Choice): Chosen {
  const known = ["all", ...new Set([...modelTypes, ...catalog.models.map(({ category }) => category)])];
  const types = listIn(query, query.has("types") ? "types" : "type", known);
  const ids = partsOf(query.get("ids"));
  const callable = caller.models === undefined ? all : all.filter(({ model }) => mayCall(caller, model));
  const models = callable.filter(
    ({ id, model }) =>
      (types.length === 0 || types.includes("all") || types.includes(model.category)) &&
      (ids.length === 0 || ids.includes(id)),
  );
  return { models, types: countedTypes(callable) };
}

function countedTypes(models: readonly ListedModel[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { model } of models) counts[model.category] = (counts[model.category] ?? 0) + 1;
  return counts;
}

/** Put together from texts that are there: each name is told twice. */
function answerOf({ chosen: { models, types }, url }: List): DoorAnswer {
  const texts = joinedTexts(models, url);
  return { status: 200, json: [start, ...texts, between, ...texts, Buffer.from(endOf({ models, types }))] };
}

const start = Buffer.from('{"object":"list","data":[');
const between = Buffer.from('],"models":[');

function endOf({ models, types }: Chosen): string {
  return `],"count":${models.length},"available_types":${JSON.stringify(types)}}`;
}

/** Without a body for clients that have this very list. */
function unlessKnown(list: List, visit: Visit<unknown>): DoorAnswer {
  const tag = tagOf(list);
  // Kept by the client alone, and asked about each time: a price may change.
  const headers = { etag: tag, "cache-control": "private, no-cache" };
  if (hasTag(visit.headers["if-none-match"], tag)) return { status: 304, headers };
  return { ...answerOf(list), headers };
}

/** From what the list is made of, so that it need not be put together. */
function tagOf({ listed, chosen, url }: List): string {
  const ids = chosen.models.map(({ id }) => id).join();
  const parts = [start, between, listed.digest, url, ids, endOf(chosen)].map(String);
  return `"${createHash("sha256").update(JSON.stringify(parts)).digest("base64url")}"`;
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
