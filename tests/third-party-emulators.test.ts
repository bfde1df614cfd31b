/**
 * Our data of providers against emulators of the same providers that others wrote: live runs whose base addresses lead
 * there. What arrived is asked of the emulators. They know less than the providers do; what they know must be right.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { createEmulator } from "emulate";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";

type Running = { readonly url: string; stop(): Promise<void> };
type Started = Running | { readonly missing: string };

/** Why it cannot start here is told with the skipped tests, never hidden. */
async function startedOr(start: () => Promise<Running>): Promise<Started> {
  try {
    return await start();
  } catch (reason) {
    return { missing: `the emulator does not start here: ${String(reason)}` };
  }
}

async function startEmulate(service: "stripe" | "resend" | "twilio", seed = {}): Promise<Running> {
  const emulator = await createEmulator({ service, port: 0, seed });
  return { url: emulator.url.replace("localhost", "127.0.0.1"), stop: () => emulator.close() };
}

async function startSes(): Promise<Running> {
  const { default: module } = await import("aws-ses-v2-local");
  const server = await module.default({ host: "127.0.0.1", port: 0 });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const account = { sid: `AC${"1".repeat(32)}`, auth_token: "token" };
const service = { sid: `VA${"2".repeat(32)}`, code: "424242" };
const sender = "+15551234567";
const stripe = await startedOr(() => startEmulate("stripe"));
const resend = await startedOr(() => startEmulate("resend"));
const twilio = await startedOr(() =>
  startEmulate("twilio", {
    twilio: { account, phone_numbers: [{ phone_number: sender }], verify_services: [service] },
  }),
);
const ses = await startedOr(startSes);

const urlOf = (started: Started): string => ("url" in started ? started.url : "http://127.0.0.1:9");
const skipping = (started: Started): { readonly skip: string | false } => ({
  skip: "missing" in started && started.missing,
});

let gateway: Gateway;
let customer: PayingCustomer;
before(async () => {
  gateway = await startGateway({
    environment: {
      STRIPE_BASE_URL: urlOf(stripe),
      STRIPE_API_KEY: "sk_test_k",
      RESEND_BASE_URL: urlOf(resend),
      RESEND_API_KEY: "re_k",
      RESEND_FROM: "Us <us@example.com>",
      TWILIO_BASE_URL: urlOf(twilio),
      TWILIO_VERIFY_BASE_URL: `${urlOf(twilio)}/verify`,
      TWILIO_ACCOUNT_SID: account.sid,
      TWILIO_AUTH_TOKEN: account.auth_token,
      TWILIO_FROM: sender,
      TWILIO_VERIFY_SERVICE_SID: service.sid,
      SES_BASE_URL: urlOf(ses),
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "AKIATEST",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_SES_FROM: "Us <us@example.com>",
    },
  });
  customer = await payingCustomer(gateway, { mode: "live" });
});
after(async () => {
  const running = [stripe, resend, twilio, ses].filter((one) => "stop" in one);
  await endsClean(gateway, ...running);
});

// The answers of others: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
async function ask(url: string, authorization: string, form?: Record<string, string>): Promise<any> {
  const response = await fetch(url, {
    headers: { authorization },
    ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }),
  });
  assert.ok(response.ok, `${url} answers ${response.status}`);
  return response.json();
}

const letter = {
  to: ["ada@example.com", "Bob <bob@example.com>"],
  cc: "cleo@example.com",
  reply_to: "answers@example.com",
  subject: "Grüße & more",
  html: "<p>Hällo</p>",
  text: "Hällo",
};

suite("Stripe as emulate has it", skipping(stripe), () => {
  test("a session is opened for a price of the account, and can be asked for there", async () => {
    const key = "Bearer sk_test_k";
    const product = await ask(`${urlOf(stripe)}/v1/products`, key, { name: "Tea" });
    const wanted = { product: product.id, currency: "eur", unit_amount: "450" };
    const price = await ask(`${urlOf(stripe)}/v1/prices`, key, wanted);
    const { status, body } = await customer.run("stripe/checkout-session", {
      items: [{ price: price.id, quantity: 2 }],
      success_url: "https://example.com/?id={CHECKOUT_SESSION_ID}&a=1",
      cancel_url: "https://example.com/basket",
      metadata: { order: "42" },
    });
    assert.equal(status, 200, JSON.stringify(body));
    const session = await ask(`${urlOf(stripe)}/v1/checkout/sessions/${body.session_id}`, key);
    assert.deepEqual(
      [session.mode, session.status, session.payment_status, session.metadata],
      ["payment", body.session_status, body.payment_status, { order: "42" }],
    );
    assert.equal(session.success_url, "https://example.com/?id={CHECKOUT_SESSION_ID}&a=1");
    assert.equal(session.url, body.url);
  });

  test("what it refuses is refused, and costs nothing", async () => {
    const spent = await customer.spent();
    const items = [{ price: "price_nobody" }];
    const { status, body } = await customer.run("stripe/checkout-session", {
      items,
      success_url: "https://example.com/",
    });
    assert.deepEqual([status, body.error.code], [400, "upstream_rejected_request"]);
    assert.equal(await customer.spent(), spent);
  });
});

suite("Resend as emulate has it", skipping(resend), () => {
  test("an e-mail arrives as it was written", async () => {
    const { status, body } = await customer.run("resend/send-email", letter);
    assert.equal(status, 200, JSON.stringify(body));
    const email = await ask(`${urlOf(resend)}/emails/${body.message_id}`, "Bearer re_k");
    assert.deepEqual(
      [email.from, email.to, email.cc, email.subject, email.html, email.text],
      ["Us <us@example.com>", letter.to, [letter.cc], letter.subject, letter.html, letter.text],
    );
    assert.deepEqual([email.reply_to, body.usage], [[letter.reply_to], { emails: 3 }]);
  });
});

suite("Twilio as emulate has it", skipping(twilio), () => {
  test("a message is queued there", async () => {
    const text = "Hi & bye + 100% é";
    const { status, body } = await customer.run("twilio/send-sms", { to: "+14155550100", text });
    assert.equal(status, 200, JSON.stringify(body));
    const basic = `Basic ${Buffer.from(`${account.sid}:${account.auth_token}`).toString("base64")}`;
    const path = `2010-04-01/Accounts/${account.sid}/Messages/${body.message_id}.json`;
    const message = await ask(`${urlOf(twilio)}/${path}`, basic);
    assert.deepEqual([message.body, message.to, message.from], [text, "+14155550100", sender]);
  });

  test("a number is verified by the code that was sent, and by no other", async () => {
    const to = "+14155550101";
    const begun = await customer.run("twilio/verify", { to });
    assert.deepEqual([begun.status, begun.body.verification_status], [200, "pending"]);
    const wrong = await customer.run("twilio/verify-check", { to, code: "000000" });
    assert.deepEqual([wrong.body.valid, wrong.cost], [false, "0.000000"]);
    const right = await customer.run("twilio/verify-check", { to, code: service.code });
    assert.deepEqual([right.body.valid, right.cost], [true, "1.000000"]);
    const nobody = await customer.run("twilio/verify-check", { to: "+14155550102", code: service.code });
    assert.equal(nobody.body.error.code, "upstream_rejected_request");
  });
});

suite("SES as aws-ses-v2-local has it", skipping(ses), () => {
  test("an e-mail arrives as it was written", async () => {
    const { status, body } = await customer.run("aws/send-emails", letter);
    assert.equal(status, 200, JSON.stringify(body));
    const { emails } = await ask(`${urlOf(ses)}/store`, "");
    const [email] = emails.filter((one: { messageId: string }) => one.messageId === body.message_id);
    assert.deepEqual(
      [email.from, email.destination, email.replyTo, email.subject, email.body],
      [
        "Us <us@example.com>",
        { to: letter.to, cc: [letter.cc], bcc: [] },
        [letter.reply_to],
        letter.subject,
        { html: letter.html, text: letter.text },
      ],
    );
    assert.deepEqual([body.usage, body.status], [{ emails: 3 }, "completed"]);
  });
});
