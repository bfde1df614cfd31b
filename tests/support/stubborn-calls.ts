import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { dataOf, startChat } from "./chat-exchange.ts";
import type { ChatExchange } from "./chat-exchange.ts";
import { hangBeforeHeaders, ok } from "./fake-behaviours.ts";
import { eventually } from "./fake-upstream.ts";
import type { FakeUpstream } from "./fake-upstream.ts";
import type { Customer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";
import type { CallTrail } from "./money-trail.ts";
import { streamUntil } from "./open-ended.ts";
import { rawChat } from "./stream-reader.ts";
import { idleConnection, openConnection } from "./told-to-stop.ts";

/** 100 tokens, with the seven of the template. */
export const messages = [{ role: "user", content: `hello${" hello".repeat(92)}` }];

/** What that prompt and so many tokens of output cost, in micro-credits. */
export function costOf(tokens: number): bigint {
  return 250n + 10n * BigInt(tokens);
}

export type Asking = { readonly gateway: Gateway; readonly customer: Customer };

export function ask({ gateway, customer }: Asking, body: Readonly<Record<string, unknown>>): ChatExchange {
  return startChat({ url: gateway.url, key: customer.key, body: { messages, ...body } });
}

export const drainMs = 800;

/** An environment in which no provider is too slow, however busy the machine is. */
export const unhurried = {
  SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "20000",
  SKILLBOSS_IDLE_TIMEOUT_MS: "20000",
};

/** An environment in which nothing but the end of the drain ends a stubborn call. */
export const patience = { ...unhurried, SKILLBOSS_DRAIN_TIMEOUT_MS: String(drainMs) };

const tokensPerFrame = 10;

export type Stubborn = {
  readonly endless: readonly ChatExchange[];
  /** Their provider keeps silent. */
  readonly unanswered: readonly ChatExchange[];
  /** Two where nobody reads the stream, and two without a call. */
  readonly connections: readonly Socket[];
  /** What the provider sent to those who do not read, in tokens. */
  readonly unread: () => readonly number[];
};

export async function startStubborn(asking: Asking, upstream: FakeUpstream): Promise<Stubborn> {
  const { gateway, customer } = asking;
  upstream.script(
    "m-chat",
    streamUntil(() => false, " hello"),
  );
  upstream.script("m-long", ok({ tokens: 1_000_000, text: " hello".repeat(tokensPerFrame) }));
  upstream.script("m-claude", hangBeforeHeaders());
  const connections = [await openConnection(gateway), await idleConnection(gateway)];
  for (let count = 0; count < 2; count += 1) {
    const body = { model: "m-long", messages, max_tokens: 10_000_000 };
    connections.push((await rawChat(gateway, customer.key, body)).socket.pause());
  }
  const long = () => upstream.calls("m-long");
  await eventually(() => long().length === 2 && long().every((record) => record.stalled), 10_000);
  const endless = Array.from({ length: 6 }, () => ask(asking, { model: "m-chat", stream: true }));
  const unanswered = [false, true].map((stream) => ask(asking, { model: "m-claude", stream }));
  await eventually(() => upstream.calls("m-claude").length === 2, 5_000);
  await eventually(() => endless.every((exchange) => exchange.deltas > 0), 5_000);
  return {
    endless,
    unanswered,
    connections,
    unread: () => long().map(({ tokens }) => tokens * tokensPerFrame),
  };
}

export function assertChargedAsDelivered(
  calls: ReadonlyMap<string, CallTrail>,
  { endless, unanswered, unread }: Stubborn,
): void {
  const sizes = [endless.length, unanswered.length, unread().length];
  assert.equal(
    calls.size,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  for (const { callId, deltas } of endless) {
    assert.deepEqual(calls.get(callId)?.kinds, ["hold", "settle"]);
    assert.equal(calls.get(callId)?.charged, costOf(deltas));
  }
  for (const { callId } of unanswered) assert.deepEqual(calls.get(callId)?.kinds, ["hold", "release"]);
  const known = new Set([...endless, ...unanswered].map(({ callId }) => callId));
  const mostCost = costOf(Math.max(...unread()));
  for (const [callId, { kinds, charged, loss }] of calls) {
    if (known.has(callId)) continue;
    assert.deepEqual([kinds, loss], [["hold", "settle"], 0n]);
    assert.ok(charged > costOf(0) && charged <= mostCost, `${charged}, and ${mostCost} was sent`);
  }
}

/** It was served, more than the `before` it had when the server was told to stop, and told in the stream why it ends. */
export function assertCut(exchange: ChatExchange, before: number): void {
  assert.deepEqual([exchange.status, exchange.isComplete, exchange.isBroken], [200, false, false]);
  assert.ok(exchange.deltas > before, `${exchange.deltas} tokens, of them ${before} before`);
  const events = dataOf(exchange.text);
  assert.ok(!events.includes("[DONE]"));
  assert.equal(events.filter((event) => event.includes('"error":{')).length, 1);
  const { error, choices } = exchange.json();
  assert.deepEqual([error.code, error.type], ["shutting_down", "api_error"]);
  assert.deepEqual(choices, [{ index: 0, delta: {}, finish_reason: "error" }]);
}
