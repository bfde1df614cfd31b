/** An offer, a model and calls of it, for tests of what calls are quoted and charged. */
import type { ChatCall, ChatRequest } from "../core/chat.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import type { Price } from "../core/price.ts";
import { maxTokensOf } from "./quote.ts";

export const price: Price = [
  { meter: "input_tokens", per: 1_000_000, usd: "3" },
  { meter: "input_tokens", per: 1_000_000, usd: "6", when: { input_tokens_gt: 1000 } },
  { meter: "cache_read_tokens", per: 1_000_000, usd: "0.3" },
  { meter: "cache_write_tokens", per: 1_000_000, usd: "3.75" },
  { meter: "output_tokens", per: 1_000_000, usd: "15" },
];

export const offer: Offer = {
  provider: {
    id: "p",
    name: "p",
    wire: "openai-chat",
    baseUrl: undefined,
    runBaseUrl: undefined,
    headers: {},
    keyVariable: undefined,
    settings: [],
    trustedHosts: [],
    auth: undefined,
    accepts: undefined,
    extraParameters: [],
    maxTokensField: "max_tokens",
    quirks: { noDeveloperRole: false, reasoningOutsideCompletion: false, strictMessages: false },
    doc: undefined,
  },
  upstreamModel: "m",
  price,
  maxTokensField: "max_tokens",
};

export const model: ChatModel = {
  id: "p/m",
  name: "m",
  kind: "chat",
  description: "",
  category: "chat",
  contextWindow: 200_000,
  maxOutput: 16_384,
  imageTokens: 3000,
  pdfPageTokens: 5000,
  capabilities: {
    tools: true,
    forcedTools: true,
    vision: true,
    audio: true,
    pdf: true,
    reasoning: true,
    structuredOutput: true,
    sampling: true,
    refuses: [],
    thinking: "none",
  },
  lifecycle: { state: "active", shutdown: undefined, replacement: undefined },
  offers: [offer],
  aliases: [],
  doc: undefined,
};

export function callOf(request: ChatRequest): ChatCall {
  const raw = new Map(Object.entries(request).map(([member, value]) => [member, JSON.stringify(value)]));
  return { request, raw, stream: false, maxTokens: maxTokensOf(request, model) };
}
