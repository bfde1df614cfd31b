import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { startChat } from "./chat-exchange.ts";
import type { ChatExchange } from "./chat-exchange.ts";
import type { Customer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";
import { trailOf } from "./money-trail.ts";

/** One request that is sent again and again under one Idempotency-Key. */
export type Repeated = {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly customer: Customer;
  readonly idempotencyKey: string;
};

export type RepeatedAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly isReplay: boolean;
  /** The code of a refusal. */
  readonly code: string | undefined;
};

export async function send(
  gateway: Gateway,
  { path, body, customer, idempotencyKey }: Repeated,
): Promise<RepeatedAnswer> {
  const response = await fetch(gateway.url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${customer.key}`,
      "content-type": "application/json",
      "idempotency-key": idempotencyKey,
    },
    body: JSON.stringify(body),
  });
  const { status, headers } = response;
  const text = await response.text();
  const code = status < 400 ? undefined : String(JSON.parse(text).error.code);
  return { status, headers, text, code, isReplay: headers.get("idempotent-replayed") === "true" };
}

/** Sends it until the answer is final: no conflict, no failure after which it is tried anew, no stream that broke off. */
export async function sendUntilFinal(gateway: Gateway, request: Repeated): Promise<RepeatedAnswer> {
  for (const giveUpAt = performance.now() + 40_000; ;) {
    const answer = await send(gateway, request);
    if (isFinal(answer)) return answer;
    assert.ok(performance.now() < giveUpAt, answer.text);
    await wait(20);
  }
}

function isFinal({ status, headers, text, code }: RepeatedAnswer): boolean {
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (code === "conflict" || (status >= 500 && code !== "outcome_unknown")) return false;
  return !isStream || text.endsWith("data: [DONE]\n\n");
}

/** A chat on a connection of its own, which its client can leave. */
export function startRepeated(gateway: Gateway, { body, customer, idempotencyKey }: Repeated): ChatExchange {
  const headers = { "idempotency-key": idempotencyKey };
  return startChat({ url: gateway.url, key: customer.key, body, headers });
}

/** The calls that cost the customer something. */
export async function chargesOf(
  gateway: Gateway,
  { accountId }: Customer,
  mode: "live" | "test" = "live",
): Promise<readonly bigint[]> {
  const { calls } = await trailOf(gateway, accountId, mode);
  return [...calls.values()].map(({ charged }) => charged).filter((charged) => charged > 0n);
}
