import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import OpenAI6 from "openai-6";
import { zodResponseFormat as zodResponseFormat6 } from "openai-6/helpers/zod";
import type { Gateway } from "./gateway.ts";

type Options = { readonly baseURL: string; readonly apiKey: string; readonly maxRetries: number };

/** One major of the official SDK: how to connect, its error classes, and its own translation of zod schemas. */
export type Kit = {
  readonly connect: (options: Options) => OpenAI;
  readonly errors: typeof OpenAI;
  readonly zodFormat: typeof zodResponseFormat;
};

/** Both majors have the methods used here in common; the tests are typed by the newer one. */
export const kits: Readonly<Record<string, Kit>> = {
  "openai 7": { connect: (options) => new OpenAI(options), errors: OpenAI, zodFormat: zodResponseFormat },
  "openai 6": {
    connect: (options) => new OpenAI6(options) as unknown as OpenAI,
    errors: OpenAI6 as unknown as typeof OpenAI,
    zodFormat: zodResponseFormat6 as unknown as typeof zodResponseFormat,
  },
};

/** The names that the public contract shows. */
export const seedNames = [
  "claude-4-5-sonnet",
  "claude-3-5-haiku",
  "gpt-5",
  "gpt-4-turbo",
  "gpt-4o",
  "gpt-4o-mini",
  "gemini-2.5-flash",
  "gemini-2.0-pro",
  "deepseek/deepseek-v3",
  "qwen/qwen-max",
] as const;

export const openaiWireModels = [
  "gpt-4o-mini",
  "gpt-5",
  "deepseek/deepseek-v3",
  "qwen/qwen-max",
  "gemini-2.5-flash",
] as const;

/** Two that think by a budget or not at all, and two that think adaptively. */
export const anthropicWireModels = [
  "claude-4-5-sonnet",
  "claude-3-5-haiku",
  "claude-opus-4-7",
  "claude-sonnet-5-5",
] as const;

export const allWireModels = [...openaiWireModels, ...anthropicWireModels] as const;

export function isAnthropicWire(model: string): boolean {
  return anthropicWireModels.some((one) => one === model);
}

export function clientFor(kit: Kit, gateway: Gateway, key: string): OpenAI {
  return kit.connect({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
}

export const user = (
  content: OpenAI.Chat.ChatCompletionUserMessageParam["content"],
): OpenAI.Chat.ChatCompletionMessageParam => ({ role: "user", content });

export async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export type Chunk = OpenAI.Chat.ChatCompletionChunk;

export type Joined = {
  readonly text: string;
  readonly finish: string | null;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
};

/** What the first choice of a stream says in all, put together as a client does it. */
export function joined(chunks: readonly Chunk[]): Joined {
  const calls: { id: string; name: string; arguments: string }[] = [];
  let text = "";
  let finish: string | null = null;
  for (const choice of chunks.flatMap((chunk) => chunk.choices.filter(({ index }) => index === 0))) {
    text += choice.delta.content ?? "";
    finish = choice.finish_reason ?? finish;
    for (const part of choice.delta.tool_calls ?? []) {
      const call = (calls[part.index] ??= { id: "", name: "", arguments: "" });
      call.id += part.id ?? "";
      call.name += part.function?.name ?? "";
      call.arguments += part.function?.arguments ?? "";
    }
  }
  return { text, finish, calls };
}

/** A member that OpenAI's types do not know. */
export function memberOf(holder: object | undefined, name: string): unknown {
  return holder === undefined ? undefined : Reflect.get(holder, name);
}

/** The function calls of a message; fails on calls of another kind. */
export function functionCalls(
  message: OpenAI.Chat.ChatCompletionMessage | undefined,
): readonly OpenAI.Chat.ChatCompletionMessageFunctionToolCall[] {
  return (message?.tool_calls ?? []).map((call) => {
    assert.ok(call.type === "function");
    return call;
  });
}

/** Every book adds up, nothing is on hold any more, and no rejection went unhandled. */
export async function assertAllSettled(gateway: Gateway): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const { body } = await gateway.admin("POST", "/audit");
    assert.equal(body.ok, true, JSON.stringify(body.faults));
    if (body.open_holds === 0) break;
    assert.ok(Date.now() < deadline, `${body.open_holds} holds are still open`);
    await wait(100);
  }
  assert.doesNotMatch(gateway.log(), /unhandled ?rejection|uncaught/i);
}

type Rate = {
  readonly meter: string;
  readonly per: number;
  readonly usd: string;
  readonly when?: { readonly input_tokens_gt?: number };
};

/**
 * What a usage costs at the prices that GET /v1/models shows, in millionths of a credit, rounded up once. Written apart
 * from the gateway's own pricing, so that the two can disagree.
 */
export function costOfShown(
  prices: readonly Rate[],
  usage: OpenAI.CompletionUsage | undefined,
  creditUsd: string,
): bigint {
  assert.ok(usage !== undefined);
  const details: object = usage.prompt_tokens_details ?? {};
  const cached = Number(memberOf(details, "cached_tokens") ?? 0);
  const written = Number(memberOf(details, "cache_write_tokens") ?? 0);
  const amounts: Readonly<Record<string, number>> = {
    input_tokens: usage.prompt_tokens - cached - written,
    cache_read_tokens: cached,
    cache_write_tokens: written,
    output_tokens: usage.completion_tokens,
  };
  const fraction = new Fraction(0n, 1n);
  for (const [meter, amount] of Object.entries(amounts)) {
    if (amount === 0) continue;
    const rates = prices.filter((rate) => rate.meter === meter);
    const tier = rates.find((rate) => usage.prompt_tokens > (rate.when?.input_tokens_gt ?? Infinity));
    const rate = tier ?? rates.find((one) => one.when === undefined);
    assert.ok(rate !== undefined, `no price for ${meter}`);
    fraction.add(decimal(rate.usd).times(BigInt(amount), BigInt(rate.per)));
  }
  const credit = decimal(creditUsd);
  const top = fraction.top * credit.bottom * 1_000_000n;
  const bottom = fraction.bottom * credit.top;
  return (top + bottom - 1n) / bottom;
}

class Fraction {
  top: bigint;
  bottom: bigint;

  constructor(top: bigint, bottom: bigint) {
    this.top = top;
    this.bottom = bottom;
  }

  add(other: Fraction): void {
    this.top = this.top * other.bottom + other.top * this.bottom;
    this.bottom *= other.bottom;
  }

  times(top: bigint, bottom: bigint): Fraction {
    return new Fraction(this.top * top, this.bottom * bottom);
  }
}

function decimal(text: string): Fraction {
  const [whole = "0", decimals = ""] = text.split(".");
  return new Fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}

/** "0.003300" as 3300 millionths. */
export function micro(credits: string | null): bigint {
  assert.match(credits ?? "", /^\d+\.\d{6}$/);
  return BigInt((credits ?? "").replace(".", ""));
}
