import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Stripe from "stripe";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";
import { signedEvent } from "./signed-event.test-support.ts";

/** The judge is the provider's own SDK. It speaks to a host; a client of ours puts the path before. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

function client(apiKey = "sk_test_k"): Stripe {
  const { hostname, port } = new URL(sandbox.url);
  const base = Stripe.createNodeHttpClient();
  const makeRequest: typeof base.makeRequest = (host, at, path, ...rest) =>
    base.makeRequest(host, at, `/stripe${path}`, ...rest);
  const httpClient = Object.assign(Object.create(base), { makeRequest });
  return new Stripe(apiKey, { host: hostname, port, protocol: "http", maxNetworkRetries: 0, httpClient });
}

const tea = {
  quantity: 2,
  price_data: { currency: "eur", unit_amount: 450, product_data: { name: "Tea & cake" } },
};
const asked: Stripe.Checkout.SessionCreateParams = {
  mode: "payment",
  success_url: "https://example.com/ok?session={CHECKOUT_SESSION_ID}",
  line_items: [tea],
};

test("a session is open and unpaid, with an address to pay at and the sum of its items", async () => {
  const session = await client().checkout.sessions.create({ ...asked, metadata: { order: "42" } });
  assert.match(session.id, /^cs_test_/);
  assert.equal(session.url, `https://checkout.stripe.com/c/pay/${session.id}`);
  assert.deepEqual(
    [session.status, session.payment_status, session.amount_total, session.currency],
    ["open", "unpaid", 900, "eur"],
  );
  assert.deepEqual(session.metadata, { order: "42" });
  assert.equal(session.success_url, asked.success_url);
  assert.match(session.lastResponse.requestId ?? "", /^req_/);
});

test("under the same key the same session comes again, told as a replay; another request is refused", async () => {
  const options = { idempotencyKey: `key-${process.pid}` };
  const first = await client().checkout.sessions.create(asked, options);
  const again = await client().checkout.sessions.create(asked, options);
  assert.equal(again.id, first.id);
  assert.deepEqual(
    [first, again].map(({ lastResponse }) => lastResponse.headers["idempotent-replayed"]),
    [undefined, "true"],
  );
  await assert.rejects(
    client().checkout.sessions.create({ ...asked, success_url: "https://example.com/other" }, options),
    Stripe.errors.StripeIdempotencyError,
  );
  const [one, other] = await Promise.all([
    client().checkout.sessions.create(asked),
    client().checkout.sessions.create(asked),
  ]);
  assert.notEqual(one.id, other.id, "without a key of ours the SDK makes one for each");
});

test("a payment link has an address of its own", async () => {
  const link = await client().paymentLinks.create({ line_items: [tea] });
  assert.match(link.url, /^https:\/\/buy\.stripe\.com\/test_/);
  assert.deepEqual([link.active, link.currency], [true, "eur"]);
});

test("refusals are the SDK's own errors and name the parameter", async () => {
  const { errors } = Stripe;
  const create = (more: object, key?: string) => client(key).checkout.sessions.create({ ...asked, ...more });
  await assert.rejects(create({}, "invalid"), errors.StripeAuthenticationError);
  const missing = [{ quantity: 1, price: "price_missing1" }];
  await assert.rejects(
    create({ line_items: missing }),
    (reason) =>
      reason instanceof errors.StripeInvalidRequestError &&
      reason.code === "resource_missing" &&
      reason.param === "line_items[0][price]",
  );
  await assert.rejects(create({ mode: "subscription" }), errors.StripeInvalidRequestError);
  const ordered = (status: number) => create({ metadata: { note: `[sandbox:fault-${status}]` } });
  await assert.rejects(ordered(402), errors.StripeCardError);
  await assert.rejects(ordered(429), errors.StripeRateLimitError);
  await assert.rejects(ordered(500), errors.StripeAPIError);
});

test("an event is signed so that the SDK takes it, and only as it was signed", async () => {
  const secret = "whsec_test";
  const { body, signature } = signedEvent({
    type: "checkout.session.completed",
    object: { id: "cs_test_1", object: "checkout.session", payment_status: "paid" },
    secret,
    now: Date.now(),
  });
  const { webhooks } = client();
  const event = await webhooks.constructEventAsync(body, signature, secret);
  assert.equal(event.type, "checkout.session.completed");
  const verification = Stripe.errors.StripeSignatureVerificationError;
  await assert.rejects(webhooks.constructEventAsync(`${body} `, signature, secret), verification);
  await assert.rejects(webhooks.constructEventAsync(body, signature, "whsec_other"), verification);
});
