import type { ChatCall } from "../core/chat.ts";
import type { Credits } from "../core/credits.ts";
import type { ChatModel, Offer } from "../core/model.ts";
import { costOf } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import type { StreamTranslation, WholeAnswer } from "../providers/wire.ts";
import { attachments } from "./attachments.ts";
import type { ChatHouse } from "./chat-house.ts";
import type { OpenChat } from "./open-chat.ts";
import { messageTexts, promptTexts, templateTokens } from "./token-counter.ts";

/** What an answer used, what that costs, and what the customer sees of it. */
export type Metered = {
  readonly usage: Usage;
  readonly estimated: boolean;
  /** The OpenAI `usage` object. */
  readonly shown: Readonly<Record<string, unknown>>;
  costAt(offer: Offer): Credits;
};

export const nothingUsed: Metered = { usage: {}, estimated: false, shown: {}, costAt: () => 0n };

/** The same usage at no cost: a provider's empty answer is written down, not charged. */
export function uncharged(metered: Metered): Metered {
  return { ...metered, costAt: () => 0n };
}

/**
 * Whether an answer that came to its end is paid for. Of one that says nothing, only where the model thought until its limit
 * and the provider tells how much: the customer chose the limit, and the provider takes the prompt's whole price.
 */
export function isPaidFor({ hasOutput, ranOut, usage }: Ended): boolean {
  return hasOutput || (ranOut && (usage?.meters.output_tokens ?? 0) > 0);
}

type Ended = Pick<StreamTranslation, "hasOutput" | "ranOut" | "usage">;
type Answered = Pick<StreamTranslation, "usage" | "promptUsage" | "outputText" | "outputLength">;

/** The provider's own numbers where it told them; otherwise counted here and marked as estimated. Missing is never zero. */
export function meterAnswer(
  open: OpenChat,
  answer: Answered | WholeAnswer,
  house: ChatHouse,
): Metered | Promise<Metered> {
  const reported = answer.usage;
  if (reported === undefined) return countAnswer(open, answer, house);
  const { meters, shown } = reported;
  return { usage: meters, estimated: false, shown, costAt: costAt(meters, house) };
}

function costAt(usage: Usage, { creditUsd }: ChatHouse): Metered["costAt"] {
  return (offer) => costOf(offer.price, usage, creditUsd);
}

async function countAnswer(
  open: OpenChat,
  answer: Answered | WholeAnswer,
  house: ChatHouse,
): Promise<Metered> {
  const [prompt, output] = await Promise.all([promptUsage(open, answer, house), outputTokens(answer, house)]);
  const usage = { ...prompt, output_tokens: output };
  const promptTokens = Object.values(prompt).reduce((sum, tokens) => sum + tokens, 0);
  const shown = {
    prompt_tokens: promptTokens,
    completion_tokens: output,
    total_tokens: promptTokens + output,
  };
  return { usage, estimated: true, shown, costAt: costAt(usage, house) };
}

/** Of an answer that is longer than what is kept of it, in proportion. */
async function outputTokens(answer: Answered | WholeAnswer, { tokens }: ChatHouse): Promise<number> {
  const text = answer.outputText();
  const counted = await tokens.count([text]);
  const length = "outputLength" in answer ? answer.outputLength : text.length;
  return length > text.length ? Math.ceil((counted * length) / text.length) : counted;
}

async function promptUsage(open: OpenChat, answer: Answered | WholeAnswer, house: ChatHouse): Promise<Usage> {
  if ("promptUsage" in answer && answer.promptUsage !== undefined) return answer.promptUsage;
  const counted = await house.tokens.count(promptTexts(open.call));
  return {
    input_tokens: counted + templateTokens(open.call) + usualAttachmentTokens(open.call, open.found.model),
  };
}

export function usualAttachmentTokens({ request }: ChatCall, model: ChatModel): number {
  return Math.ceil(attachments(request.messages, model).usualTokens);
}

/** Of long words; English prose has six, other languages and code fewer. */
const mostCharactersPerToken = 16;

/**
 * What a prompt is billed for at least, from its length. Attachments count nothing: the characters of an image say
 * nothing of its tokens.
 */
export function leastPromptTokens(call: ChatCall): number {
  const length = messageTexts(call).reduce((sum, text) => sum + text.length, 0);
  return Math.floor(length / mostCharactersPerToken);
}

/** `promptTokens` are the least, and are the same at every look. */
export type SoFar = { readonly promptTokens: number; readonly outputLength: number };

/** What a stream is worth so far, from lengths alone: cheap enough for every second, and never above what it costs. */
export function worthSoFar(offers: OpenChat["offers"], soFar: SoFar, creditUsd: string): Credits {
  if (soFar.outputLength === 0) return 0n;
  const usage = {
    input_tokens: soFar.promptTokens,
    output_tokens: Math.floor(soFar.outputLength / mostCharactersPerToken),
  };
  return offers
    .map((offer) => costOf(offer.price, usage, creditUsd))
    .reduce((least, cost) => (cost < least ? cost : least));
}
