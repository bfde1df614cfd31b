import { z } from "zod";
import { deliveryStates } from "../calls/webhooks/deliveries.ts";
import type {
  Deliveries,
  DeliveryQuery,
  DeliveryState,
  ListedDelivery,
} from "../calls/webhooks/deliveries.ts";
import type { WebhookSecret, WebhookSecrets } from "../calls/webhooks/webhook-secrets.ts";
import type { Mode } from "../core/caller.ts";
import { Problem } from "../core/problems.ts";
import { count, listOf } from "./answer-schemas.ts";
import type { Door, Visit } from "./door.ts";

export type WebhookDoorsHouse = {
  readonly deliveries: Deliveries;
  readonly secrets: WebhookSecrets;
  /** Has the messages that are due delivered now. */
  readonly nudge: () => void;
};

const mostListed = 200;
const usuallyListed = 50;

const time = z.iso.datetime();

const deliveryForm = z.strictObject({
  id: z.string(),
  object: z.literal("webhook_delivery"),
  run_id: z.string(),
  url: z.string(),
  state: z.enum(deliveryStates),
  tries: count,
  replays: count,
  last_status: z.int().nullable(),
  last_fault: z.string().nullable(),
  created_at: time,
  next_try_at: time.nullable(),
  delivered_at: time.nullable(),
});

const secretForm = z.strictObject({
  object: z.literal("webhook_secret"),
  mode: z.enum(["live", "test"]),
  secret: z.string(),
  generation: z.int().min(1),
  replaced: z.array(z.strictObject({ generation: z.int().min(1), signs_until: time })),
});

/** What became of the messages to the customer's own server, and the secret that they are signed with. */
export function webhookDoors(house: WebhookDoorsHouse): readonly Door[] {
  return [listDoor(house), readDoor(house), replayDoor(house), ...secretDoors(house)];
}

function listDoor({ deliveries }: WebhookDoorsHouse): Door {
  return {
    method: "GET",
    path: "/v1/webhooks/deliveries",
    access: "caller",
    query: {
      state: z.enum(deliveryStates),
      limit: z.int().min(1).max(mostListed),
      after: z.string(),
    },
    summary:
      "Messages to the account's own servers, newest first. `?state=waiting|delivered|given_up|refused&limit=&after=`.",
    answers:
      "`data` and `has_more`; go on with `after` set to the last id. Each with its `state`, `tries` since it was begun or last replayed, `replays`, the `last_status` " +
      "that the receiver answered, and in `last_fault` why it was not taken: status, redirect, gone, url_not_allowed, " +
      "refused, timeout, too_large, unreadable or internal_error.",
    answerForm: listOf(deliveryForm).extend({ has_more: z.boolean() }),
    async answer(visit) {
      const page = await deliveries.list(queryOf(visit));
      const data = page.deliveries.map(shownDelivery);
      return { status: 200, body: { object: "list", data, has_more: page.hasMore } };
    },
  };
}

function readDoor({ deliveries }: WebhookDoorsHouse): Door {
  return {
    method: "GET",
    path: "/v1/webhooks/deliveries/{id}",
    access: "caller",
    summary: "One message to the account's own server.",
    answers: "As in the list, and in `body` the text that is sent and signed.",
    answerForm: deliveryForm.extend({ body: z.string() }),
    async answer(visit) {
      const row = await deliveries.read(idIn(visit), visit.caller());
      return { status: 200, body: { ...shownDelivery(row), body: row.body } };
    },
  };
}

function replayDoor({ deliveries, nudge }: WebhookDoorsHouse): Door {
  return {
    method: "POST",
    path: "/v1/webhooks/deliveries/{id}/replay",
    access: "caller",
    summary: "Sends a message again, whatever became of it: the same `webhook-id`, at once, with new tries.",
    answers: "The delivery, waiting again.",
    answerForm: deliveryForm,
    status: 202,
    async answer(visit) {
      const row = await deliveries.replay(idIn(visit), visit.caller());
      nudge();
      return { status: 202, body: shownDelivery(row) };
    },
  };
}

function secretDoors({ secrets }: WebhookDoorsHouse): readonly Door[] {
  const answers =
    "`secret` as libraries of Standard Webhooks take it; in `replaced` the older ones that still sign, and until when.";
  return [
    {
      method: "GET",
      path: "/v1/webhooks/secret",
      access: "caller",
      summary: "The secret that messages of the key's mode are signed with.",
      answers,
      answerForm: secretForm,
      async answer(visit) {
        const { mode } = visit.caller();
        return { status: 200, body: shownSecret(await secrets.read(visit.caller()), mode) };
      },
    },
    {
      method: "POST",
      path: "/v1/webhooks/secret/rotate",
      access: "caller",
      summary: "A new signing secret, at once. For 24 hours messages are signed with the old one as well.",
      answers,
      answerForm: secretForm,
      async answer(visit) {
        const { mode } = visit.caller();
        return { status: 200, body: shownSecret(await secrets.rotate(visit.caller()), mode) };
      },
    },
  ];
}

function shownDelivery(row: ListedDelivery): z.output<typeof deliveryForm> {
  return {
    id: row.id,
    object: "webhook_delivery",
    run_id: row.run_id,
    url: row.url,
    state: row.state,
    tries: row.tries,
    replays: row.replays,
    last_status: row.last_status,
    last_fault: row.last_fault,
    created_at: row.created_at.toISOString(),
    next_try_at: row.state === "waiting" ? row.next_at.toISOString() : null,
    delivered_at: row.delivered_at?.toISOString() ?? null,
  };
}

function shownSecret(
  { secret, generation, replaced }: WebhookSecret,
  mode: Mode,
): z.output<typeof secretForm> {
  return {
    object: "webhook_secret",
    mode,
    secret,
    generation,
    replaced: replaced.map((one) => ({
      generation: one.generation,
      signs_until: one.signsUntil.toISOString(),
    })),
  };
}

function queryOf(visit: Visit<unknown>): DeliveryQuery {
  const { accountId, mode } = visit.caller();
  return { accountId, mode, state: stateIn(visit), limit: limitIn(visit), after: afterIn(visit) };
}

function stateIn(visit: Visit<unknown>): DeliveryState | undefined {
  const asked = visit.query.get("state");
  if (asked === null) return undefined;
  const state = deliveryStates.find((one) => one === asked);
  if (state !== undefined) return state;
  throw new Problem("invalid_request", {
    param: "state",
    message: `state: want ${deliveryStates.join(", ")}.`,
  });
}

function limitIn(visit: Visit<unknown>): number {
  const text = visit.query.get("limit");
  if (text === null) return usuallyListed;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= mostListed) return limit;
  const message = `limit: want a whole number from 1 to ${mostListed}.`;
  throw new Problem("invalid_request", { param: "limit", message });
}

function afterIn(visit: Visit<unknown>): string | undefined {
  const after = visit.query.get("after");
  if (after === null || isDeliveryId(after)) return after ?? undefined;
  throw new Problem("invalid_request", { param: "after", message: "after: want the id of a delivery." });
}

/** What no delivery has as its id is not asked for: a database does not take every text. */
function idIn(visit: Visit<unknown>): string {
  const id = visit.parameters["id"] ?? "";
  if (isDeliveryId(id)) return id;
  throw new Problem("not_found", { message: "There is no such delivery." });
}

function isDeliveryId(text: string): boolean {
  return /^msg_[0-9a-f]{32}$/.test(text);
}
