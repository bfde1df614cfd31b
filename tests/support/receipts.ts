import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { AdminAnswer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";

/** The receipt of the call with this `x-request-id`, as soon as it is written. */
export async function receiptOf(
  gateway: Gateway,
  key: string,
  requestId: string | null,
): Promise<AdminAnswer["body"]> {
  assert.ok(requestId, "the answer carries a request id");
  const callId = requestId.replace("req_", "call_");
  return receiptThat(gateway, key, (receipt) => receipt.call_id === callId);
}

/** The latest receipts of this key's account, newest first, once there are `count` of them in all. */
export async function receiptsOf(
  gateway: Gateway,
  key: string,
  count: number,
): Promise<readonly AdminAnswer["body"][]> {
  const giveUpAt = performance.now() + 5_000;
  for (;;) {
    const { body } = await gateway.get(key, "/v1/usage");
    if (body.total.requests >= count) return body.recent;
    assert.ok(performance.now() < giveUpAt, `${body.total.requests} of ${count} receipts after 5 s`);
    await pause(20);
  }
}

async function receiptThat(
  gateway: Gateway,
  key: string,
  fits: (receipt: AdminAnswer["body"]) => boolean,
): Promise<AdminAnswer["body"]> {
  const giveUpAt = performance.now() + 5_000;
  for (;;) {
    const { body } = await gateway.get(key, "/v1/usage");
    const receipt = body.recent.find(fits);
    if (receipt !== undefined) return receipt;
    assert.ok(performance.now() < giveUpAt, "a receipt within 5 s");
    await pause(20);
  }
}
