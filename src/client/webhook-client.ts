import type { Mode } from "../core/caller.ts";
import type { ListAnswer } from "./answers.ts";
import { segment } from "./link.ts";
import type { Link } from "./link.ts";

export const deliveryStates = ["waiting", "delivered", "given_up", "refused"] as const;
export type DeliveryStateAnswer = (typeof deliveryStates)[number];

export type DeliveryAnswer = {
  /** The `webhook-id` of the message. */
  readonly id: string;
  readonly run_id: string;
  readonly url: string;
  readonly state: DeliveryStateAnswer;
  readonly tries: number;
  readonly last_status: number | null;
  readonly last_fault: string | null;
  readonly created_at: string;
  readonly next_try_at: string | null;
  readonly delivered_at: string | null;
};

export type DeliveriesAnswer = ListAnswer<DeliveryAnswer> & { readonly has_more: boolean };

/** `body` is the text that is sent. */
export type WholeDeliveryAnswer = DeliveryAnswer & { readonly body: string };

export type WebhookSecretAnswer = {
  readonly mode: Mode;
  readonly secret: string;
  readonly generation: number;
  readonly replaced: readonly { readonly generation: number; readonly signs_until: string }[];
};

export type DeliveriesWish = {
  readonly state?: DeliveryStateAnswer | undefined;
  readonly limit?: number | undefined;
  /** The last id of the page before. */
  readonly after?: string | undefined;
};

/** Of the key's account, in the key's mode. */
export type WebhookClient = {
  list(wish?: DeliveriesWish): Promise<DeliveriesAnswer>;
  read(id: string): Promise<WholeDeliveryAnswer>;
  replay(id: string): Promise<DeliveryAnswer>;
  secret(): Promise<WebhookSecretAnswer>;
  rotate(): Promise<WebhookSecretAnswer>;
};

const path = "/v1/webhooks";

export function webhookClient(link: Link): WebhookClient {
  const pathOf = (id: string) => `${path}/deliveries/${segment(id)}`;
  const secretMembers = ["secret", "generation", "replaced"] as const;
  return {
    list: ({ state, limit, after } = {}) =>
      link.ask<DeliveriesAnswer>(
        { method: "GET", path: `${path}/deliveries`, query: { state, limit, after } },
        ["data", "has_more"],
      ),
    read: async (id) =>
      link.ask<WholeDeliveryAnswer>({ method: "GET", path: pathOf(id) }, ["id", "state", "body"]),
    replay: async (id) =>
      link.ask<DeliveryAnswer>({ method: "POST", path: `${pathOf(id)}/replay` }, ["id", "state"]),
    secret: () => link.ask<WebhookSecretAnswer>({ method: "GET", path: `${path}/secret` }, secretMembers),
    rotate: () =>
      link.ask<WebhookSecretAnswer>({ method: "POST", path: `${path}/secret/rotate` }, secretMembers),
  };
}
