import { fingerprintOf } from "../answers/random.ts";
import type { Emulator } from "../emulator.ts";
import { bearer } from "../worn-credential.ts";
import { createCheckoutSession } from "./checkout-session.ts";
import { refuseAsStripe } from "./errors.ts";
import { createPaymentLink } from "./payment-link.ts";

/** Stripe, https://api.stripe.com. Nothing is kept but idempotency keys: a session cannot be asked for later. */
export const stripe: Emulator = {
  credentials: [bearer, { kind: "basic" }],
  routes: [
    { method: "POST", path: "/v1/checkout/sessions", answer: createCheckoutSession },
    { method: "POST", path: "/v1/payment_links", answer: createPaymentLink },
  ],
  refuse: refuseAsStripe,
  headers: (request) => ({
    "request-id": `req_${fingerprintOf(`${request.seed} ${request.now()}`).slice(0, 14)}`,
    "stripe-version": request.header("stripe-version") || "2026-10-28.endive",
  }),
};
