import { randomFrom } from "../answers/random.ts";
import { fillSchema } from "../answers/schema-filler.ts";
import { loadTokenizer } from "../answers/tokens.ts";
import { topicsOf } from "../answers/topics.ts";
import { withoutDirectives } from "../directives.ts";
import { isObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { json } from "../run-answer.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import type { Hit } from "../web/hits.ts";
import { answerOn } from "../web/prose.ts";
import { askedIn } from "./response-request.ts";
import type { Asked } from "./response-request.ts";
import { resultOf, searched } from "./search.ts";

const usualResults = 5;
/** USD. */
const usdPerInputToken = 0.25e-6;
const usdPerOutputToken = 2.5e-6;
const usdPerSearch = 0.005;

/** POST /v1/responses, also called /v1/agent: an answer in OpenAI's Responses form, with one search where one is allowed. */
export async function respond(request: RunRequest): Promise<RunAnswer> {
  const asked = askedIn(request.json());
  const hits = hitsOf(asked);
  const { count, pieces } = await loadTokenizer();
  const whole = pieces(textOf(asked, hits, request));
  const shown = whole.slice(0, asked.mostTokens);
  const isWhole = shown.length === whole.length;
  const id = request.seed.slice(0, 24);
  const now = Math.floor(request.now() / 1_000);
  const message = {
    type: "message",
    id: `msg_${id}`,
    role: "assistant",
    status: isWhole ? "completed" : "incomplete",
    content: [{ type: "output_text", text: shown.map(({ text }) => text).join(""), annotations: [] }],
  };
  const read = count(asked.said) + hits.reduce((sum, { snippet }) => sum + count(snippet), 0);
  return json({
    id: `resp_${id}`,
    object: "response",
    created_at: now,
    completed_at: now,
    status: isWhole ? "completed" : "incomplete",
    ...(isWhole ? {} : { incomplete_details: { reason: "max_output_tokens" } }),
    error: null,
    model: asked.model,
    output: [...(asked.webSearch === undefined ? [] : [searchItem(asked, hits)]), message],
    usage: usageOf({ read, written: shown.length, searches: asked.webSearch === undefined ? 0 : 1 }),
  });
}

function hitsOf({ question, webSearch }: Asked): readonly Hit[] {
  if (webSearch === undefined) return [];
  const { filters, max_results: most } = webSearch;
  const domains = isObject(filters) ? filters["search_domain_filter"] : undefined;
  return searched(question, typeof most === "number" ? most : usualResults, domains);
}

function searchItem({ question }: Asked, hits: readonly Hit[]): JsonObject {
  return {
    type: "search_results",
    queries: [withoutDirectives(question).slice(0, 200)],
    results: hits.map((hit, at) => ({ id: at + 1, ...resultOf(hit), source: "web" })),
  };
}

function textOf({ question, schema }: Asked, hits: readonly Hit[], { seed }: RunRequest): string {
  if (isObject(schema)) {
    const { words, things } = topicsOf(withoutDirectives(question));
    return JSON.stringify(fillSchema(schema, { random: randomFrom(seed), words: [...things, ...words] }));
  }
  const cited = hits.slice(0, 3).map((_, at) => `[${at + 1}]`);
  return `${answerOn(question, 4)}${cited.length === 0 ? "" : ` ${cited.join("")}`}`;
}

type Counted = { readonly read: number; readonly written: number; readonly searches: number };

function usageOf({ read, written, searches }: Counted): JsonObject {
  const costs = [read * usdPerInputToken, written * usdPerOutputToken, searches * usdPerSearch];
  const [input_cost, output_cost, tool_calls_cost] = costs.map(rounded);
  return {
    input_tokens: read,
    output_tokens: written,
    total_tokens: read + written,
    input_tokens_details: { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    ...(searches === 0 ? {} : { tool_calls_details: { search_web: { invocation: searches } } }),
    cost: {
      currency: "USD",
      input_cost,
      output_cost,
      tool_calls_cost,
      total_cost: rounded(costs.reduce((sum, one) => sum + one, 0)),
    },
  };
}

function rounded(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
