import type { ChatCall } from "../core/chat.ts";
import type { Credits } from "../core/credits.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import { costOf } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import { attachments } from "./attachments.ts";
import { promptMembers } from "./token-counter.ts";

/** The seed's default for an absent `max_tokens`. */
const defaultMaxTokens = 4096;
/** Tokens that a chat template adds: per conversation, per message, and for a tool preamble. */
const conversationTokens = 64;
const messageTokens = 8;
const toolPreambleTokens = 1000;
/** How far a counted prompt may be off before the operator bears the difference. */
const countMarginPercent = 10;
/** With less output than this (or than was asked for) in each choice a shortened answer is not worth selling. */
const leastUsefulTokens = 64;

/** The most output tokens per choice that this call gets: what was asked for, within the model. */
export function maxTokensOf(request: ChatCall["request"], model: ChatModel): number {
  return Math.min(request.max_completion_tokens ?? request.max_tokens ?? defaultMaxTokens, model.maxOutput);
}

export type Bounds = {
  readonly inputTokens: number;
  /** Of all choices together. */
  readonly outputTokens: number;
  readonly choices: number;
};

/**
 * No tokenizer makes more tokens than the text has bytes, so bytes bound the text, also of files, without counting;
 * images, other documents and templates add their allowance. The model's window is no bound: a provider may take more
 * than the catalog says.
 */
export function boundsOf(call: ChatCall, model: ChatModel): Bounds {
  const attached = attachments(call.request.messages, model);
  let textBytes = attached.textBytes - attached.characters;
  for (const member of ["messages", ...promptMembers]) {
    const text = call.raw.get(member);
    if (text !== undefined) textBytes += Buffer.byteLength(text);
  }
  const template = conversationTokens + messageTokens * call.request.messages.length;
  return bounds(call, Math.max(0, textBytes) + attached.tokens + template);
}

/** The same bound from a real count of the prompt's text, for balances too small for the generous one. */
export function boundsFromCount(call: ChatCall, model: ChatModel, counted: number): Bounds {
  const attached = attachments(call.request.messages, model);
  return bounds(call, Math.ceil((counted * (100 + countMarginPercent)) / 100) + attached.tokens);
}

function bounds(call: ChatCall, promptTokens: number): Bounds {
  const tools = (call.request.tools?.length ?? 0) > 0 ? toolPreambleTokens : 0;
  const choices = call.request.n ?? 1;
  return { inputTokens: promptTokens + tools, outputTokens: call.maxTokens * choices, choices };
}

/** The cost of the largest usage within the bounds, at the dearest offer and the dearest way to be charged for input. */
export function quote(offers: readonly Offer[], bounds: Bounds, creditUsd: string): Credits {
  let most = 0n;
  const usages = largestUsages(bounds);
  for (const offer of offers) {
    for (const usage of usages) {
      const cost = costOf(offer.price, usage, creditUsd);
      if (cost > most) most = cost;
    }
  }
  return most;
}

function largestUsages({ inputTokens, outputTokens }: Bounds): readonly Usage[] {
  return [
    { input_tokens: inputTokens, output_tokens: outputTokens },
    { cache_write_tokens: inputTokens, output_tokens: outputTokens },
  ];
}

/** The least hold that still buys a useful answer. */
export function leastUsefulQuote(offers: readonly Offer[], bounds: Bounds, creditUsd: string): Credits {
  const outputTokens = Math.min(bounds.outputTokens, leastUsefulTokens * bounds.choices);
  return quote(offers, { ...bounds, outputTokens }, creditUsd);
}

/** The most output tokens that the held credits pay for, at the dearest offer. */
export function affordableTokens(
  offers: readonly Offer[],
  bounds: Bounds,
  paid: { readonly held: Credits; readonly creditUsd: string },
): number {
  let enough = 0;
  let tooMany = bounds.outputTokens + 1;
  while (tooMany - enough > 1) {
    const middle = Math.floor((enough + tooMany) / 2);
    if (quote(offers, { ...bounds, outputTokens: middle }, paid.creditUsd) <= paid.held) enough = middle;
    else tooMany = middle;
  }
  return enough;
}
