import { isObject, stringOr } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { badRequest, Refusal } from "../refusal.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { createdOnce } from "./answer-once.ts";
import { lineItemsIn } from "./line-items.ts";
import type { LineItems } from "./line-items.ts";

const modes: readonly unknown[] = ["payment", "subscription"];
const lifetimeSeconds = 86_400;

/** POST /v1/checkout/sessions, hosted by the provider. */
export function createCheckoutSession(request: RunRequest): RunAnswer {
  const form = request.form();
  const { mode, success_url: successUrl } = form;
  if (mode === undefined) throw missing("mode");
  if (!modes.includes(mode))
    throw badRequest("Invalid mode: must be one of payment or subscription.", "mode");
  const items = lineItemsIn(form);
  if (mode === "subscription" && !items.isRecurring && !isByPriceId(form)) {
    throw badRequest("You must provide at least one recurring price in `subscription` mode.", "line_items");
  }
  if (successUrl === undefined) throw missing("success_url");
  if (!/^https?:\/\//.test(stringOr(successUrl, ""))) throw badRequest("Not a valid URL", "success_url");
  return createdOnce(request, "cs_test_", (id) => sessionOf(id, { form, items, now: request.now() }));
}

function missing(param: string): Refusal {
  return new Refusal(400, `Missing required param: ${param}.`, { param, code: "missing" });
}

/** What such a price costs, and whether again and again, is not known here. */
function isByPriceId(form: JsonObject): boolean {
  return JSON.stringify(form["line_items"]).includes('"price":');
}

type Asked = { readonly form: JsonObject; readonly items: LineItems; readonly now: number };

function sessionOf(id: string, { form, items, now }: Asked): JsonObject {
  const created = Math.floor(now / 1_000);
  return {
    id,
    object: "checkout.session",
    amount_subtotal: items.amount,
    amount_total: items.amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    cancel_url: form["cancel_url"] ?? null,
    client_reference_id: form["client_reference_id"] ?? null,
    created,
    currency: items.currency,
    customer: form["customer"] ?? null,
    customer_email: form["customer_email"] ?? null,
    expires_at: created + lifetimeSeconds,
    livemode: false,
    locale: form["locale"] ?? null,
    metadata: isObject(form["metadata"]) ? form["metadata"] : {},
    mode: form["mode"],
    payment_intent: null,
    payment_link: null,
    payment_method_types: ["card"],
    payment_status: "unpaid",
    status: "open",
    subscription: null,
    success_url: form["success_url"],
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: "hosted_page",
    url: `https://checkout.stripe.com/c/pay/${id}`,
  };
}
