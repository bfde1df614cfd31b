import assert from "node:assert/strict";
import type { FakeUpstream } from "./fake-upstream.ts";
import type { Customer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";

export type DoorAnswer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly text: string;
  readonly tookMs: number;
};

export type ChatDoor = {
  /** Sends exactly this as the body of a chat call of a customer of its own. */
  send(body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<DoorAnswer>;
  readonly customer: Customer;
  /** The provider was not called and no money moved. */
  assertNothingHappened(): Promise<void>;
};

/** The chat door of a gateway, for a new customer, with all that the provider saw forgotten. */
export async function chatDoor(gateway: Gateway, upstream: FakeUpstream): Promise<ChatDoor> {
  upstream.clear();
  const customer = await gateway.customer();
  return {
    customer,
    async send(body, headers = {}) {
      const startedAt = performance.now();
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : new Uint8Array(body),
      });
      const text = await response.text();
      const tookMs = performance.now() - startedAt;
      assert.match(response.headers.get("x-request-id") ?? "", /^req_\w+$/);
      return { status: response.status, body: JSON.parse(text), text, tookMs };
    },
    async assertNothingHappened() {
      assert.equal(upstream.log.length, 0, "the provider was called");
      const { body } = await gateway.admin("GET", `/accounts/${customer.accountId}/transfers?limit=100`);
      const kinds = new Set(body.data.map((line: { readonly kind: string }) => line.kind));
      assert.deepEqual([...kinds], ["grant"]);
    },
  };
}

/** Refused as the client's mistake, before long, in our form. */
export function assertRefused(answer: DoorAnswer, label: string): void {
  assert.equal(answer.status, 400, `${label}: ${answer.text.slice(0, 200)}`);
  const members = ["message", "type", "code", "param", "request_id"];
  assert.deepEqual(Object.keys(answer.body.error).slice(0, 5), members);
  assert.ok(answer.tookMs < 3_000, `${label} took ${answer.tookMs} ms`);
  assert.ok(answer.text.length < 1_000, `${label}: the answer is ${answer.text.length} characters`);
}

/** An ordinary chat's messages, */
export const messages = [{ role: "user", content: "hi" }] as const;
/** and the members of its body as JSON text, to put something hostile behind. */
export const usual = `"model":"m-chat","messages":${JSON.stringify(messages)}`;

/** The body of an ordinary chat with more or changed members. */
export function bodyWith(change: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ model: "m-chat", messages, ...change });
}
