import assert from "node:assert/strict";
import { hello } from "./chat-exchange.ts";
import type { ChatExchange } from "./chat-exchange.ts";
import type { AdminAnswer, Customer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";

/** What the headers of an answer tell about the key's minute. */
export type LimitsTold = {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
};

export type LimitedAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly told: LimitsTold;
  /** The error object of a refusal. */
  readonly error: AdminAnswer["body"];
  readonly sentAt: number;
  readonly endedAt: number;
};

/** Asks m-chat, unless the body or the request says otherwise, and reads the answer to its end. */
export async function askWithLimits(
  gateway: Gateway,
  key: string,
  change: Readonly<Record<string, unknown>> = {},
  more: RequestInit = {},
): Promise<LimitedAnswer> {
  const sentAt = performance.now();
  const response = await gateway.chat(key, { model: "m-chat", messages: hello, ...change }, more);
  const { status, headers } = response;
  const text = await response.text();
  const error = status === 200 ? undefined : JSON.parse(text).error;
  return { status, headers, text, error, told: limitsIn(headers), sentAt, endedAt: performance.now() };
}

/** As many calls at once, every other one streamed. */
export function askAtOnce(
  count: number,
  gateways: readonly [Gateway, ...Gateway[]],
  key: string,
): Promise<readonly LimitedAnswer[]> {
  const all = Array.from({ length: count }, (_, index) => {
    const gateway = gateways[index % gateways.length] ?? gateways[0];
    return askWithLimits(gateway, key, { stream: Math.floor(index / gateways.length) % 2 === 1 });
  });
  return Promise.all(all);
}

/** The key's minute without a call. */
export async function minuteOf(gateway: Gateway, key: string): Promise<LimitsTold> {
  const { status, headers } = await gateway.get(key, "/v1/balance");
  assert.equal(status, 200);
  return limitsIn(headers);
}

function limitsIn(headers: Headers): LimitsTold {
  return {
    limit: wholeNumber(headers, "x-ratelimit-limit-requests"),
    remaining: wholeNumber(headers, "x-ratelimit-remaining-requests"),
    resetSeconds: wholeNumber(headers, "x-ratelimit-reset-requests", "s"),
  };
}

function wholeNumber(headers: Headers, name: string, unit = ""): number {
  const value = headers.get(name) ?? "";
  assert.match(value, new RegExp(`^\\d+${unit}$`), `${name}: ${value}`);
  return Number.parseInt(value, 10);
}

/** Refused because the minute is used up. Answers the seconds of `Retry-After`. */
export function assertRateRefusal(answer: LimitedAnswer): number {
  const seconds = assertLimitRefusal(answer, "rate_limit_exceeded");
  assert.equal(answer.told.remaining, 0);
  assert.ok(seconds <= answer.told.resetSeconds && answer.told.resetSeconds <= 60, `${seconds} s`);
  return seconds;
}

/** Refused because as many calls are running as may. */
export function assertConcurrencyRefusal(answer: LimitedAnswer): void {
  assert.equal(assertLimitRefusal(answer, "concurrency_limit_exceeded"), 1);
}

/** 429 in our form, as JSON even where a stream was asked for, with whole seconds to wait; it cost nothing. */
function assertLimitRefusal({ status, headers, error }: LimitedAnswer, code: string): number {
  assert.deepEqual([status, error?.code], [429, code]);
  assert.deepEqual(Object.keys(error), ["message", "type", "code", "param", "request_id"]);
  assert.deepEqual([error.type, error.param], ["rate_limit_error", null]);
  assert.equal(typeof error.message, "string");
  assert.match(error.request_id, /^req_\w+$/);
  assert.equal(error.request_id, headers.get("x-request-id"));
  assert.equal(headers.get("content-type"), "application/json");
  assert.equal(headers.get("x-skillboss-cost"), "0.000000");
  const seconds = wholeNumber(headers, "retry-after");
  assert.ok(seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
  return seconds;
}

/** How a call that was started on a connection of its own is answered, as soon as that can be told. */
export async function outcomeOf(exchange: ChatExchange): Promise<string> {
  await exchange.answered;
  if (exchange.status === 200) return "admitted";
  await exchange.over;
  return exchange.json().error.code;
}

export type PlanWish = { readonly plan: "free" | "starter"; readonly credits: string };

/** An account with the limits of its plan, without a key. */
export async function accountOn(gateway: Gateway, { plan, credits }: PlanWish): Promise<string> {
  const { body } = await gateway.admin("POST", "/accounts", { name: `on ${plan}`, plan });
  for (const mode of ["live", "test"]) {
    const grant = { credits, mode, reason: "test" };
    assert.equal((await gateway.admin("POST", `/accounts/${body.id}/credits`, grant)).status, 201);
  }
  return body.id;
}

export type KeyWish = {
  readonly mode?: "live" | "test";
  readonly limits?: {
    readonly requests_per_minute?: number;
    readonly concurrent_requests?: number;
  };
};

/** What the operator is answered who wants another key for an account. */
export function wantKey(gateway: Gateway, accountId: string, wish: KeyWish = {}): Promise<AdminAnswer> {
  return gateway.admin("POST", `/accounts/${accountId}/keys`, { mode: "live", ...wish });
}

export async function newKey(gateway: Gateway, accountId: string, wish: KeyWish = {}): Promise<Customer> {
  const { status, body } = await wantKey(gateway, accountId, wish);
  assert.equal(status, 201, JSON.stringify(body));
  return { accountId, keyId: body.id, key: body.key };
}
