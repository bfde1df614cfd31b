import { isObject } from "../json.ts";
import type { RunAnswer } from "../run-answer.ts";
import type { RunRequest } from "../run-request.ts";
import { createdOnce } from "./answer-once.ts";
import { lineItemsIn } from "./line-items.ts";

/** POST /v1/payment_links: an address that anybody can pay at, any number of times. */
export function createPaymentLink(request: RunRequest): RunAnswer {
  const form = request.form();
  const { currency } = lineItemsIn(form);
  return createdOnce(request, "plink_", (id) => ({
    id,
    object: "payment_link",
    active: true,
    after_completion: { type: "hosted_confirmation", hosted_confirmation: { custom_message: null } },
    allow_promotion_codes: form["allow_promotion_codes"] === "true",
    automatic_tax: { enabled: false, liability: null },
    billing_address_collection: "auto",
    currency,
    livemode: false,
    metadata: isObject(form["metadata"]) ? form["metadata"] : {},
    payment_method_types: null,
    submit_type: "auto",
    url: `https://buy.stripe.com/test_${id.slice("plink_".length)}`,
  }));
}
