import { createHmac } from "node:crypto";
import { fingerprintOf } from "../answers/random.ts";
import type { JsonObject } from "../json.ts";

export type EventWish = {
  /** `checkout.session.completed` */
  readonly type: string;
  /** What it is about, such as a checkout session. */
  readonly object: JsonObject;
  /** The endpoint's secret, `whsec_…`. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** An event as Stripe sends it to a webhook: the body, and the `Stripe-Signature` of exactly these bytes. */
export function signedEvent({ type, object, secret, now }: EventWish): {
  readonly body: string;
  readonly signature: string;
} {
  const seconds = Math.floor(now / 1_000);
  const body = JSON.stringify({
    id: `evt_${fingerprintOf(`${type} ${now} ${JSON.stringify(object)}`).slice(0, 24)}`,
    object: "event",
    api_version: "2026-10-28.endive",
    created: seconds,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  });
  const signature = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return { body, signature: `t=${seconds},v1=${signature}` };
}
