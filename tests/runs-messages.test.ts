/** E-mail, SMS and payments as a customer gets them in test mode: shape, meters, exact price, refusals. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";
import type { PayingCustomer } from "./support/paying-customer.ts";

let gateway: Gateway;
let customer: PayingCustomer;
before(async () => {
  gateway = await startGateway();
  customer = await payingCustomer(gateway);
});
after(() => endsClean(gateway));

async function refusedWith(model: string, inputs: object): Promise<readonly unknown[]> {
  const { status, body } = await customer.run(model, inputs);
  return [status, body.error.code, body.error.param ?? undefined];
}

const rejected = [400, "upstream_rejected_request", undefined];
const invalid = (param: string): readonly unknown[] => [400, "invalid_request", `inputs.${param}`];
const letter = { to: ["ada@example.com"], subject: "Hello", text: "Hi" };

test("an e-mail is sent, and each recipient is one e-mail of 0.0001 USD", async () => {
  const payer = await payingCustomer(gateway);
  const { status, body, cost } = await payer.run("aws/send-emails", {
    ...letter,
    cc: ["bob@example.com"],
    bcc: ["Cleo <cleo@example.com>"],
    reply_to: "us@example.com",
    html: "<p>Hi</p>",
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.message_id, /^[0-9a-f]{16}-/);
  assert.deepEqual([body.usage, cost, await payer.spent()], [{ emails: 3 }, "0.006000", 0.006]);
  const again = await payer.run("aws/send-emails", letter);
  assert.notEqual(again.body.message_id, body.message_id);
});

test("the names that known clients use for an e-mail are understood", async () => {
  const pack = { title: "Hello", body_html: "<p>Hi</p>", receivers: ["a@example.com", "b@example.com"] };
  for (const model of ["aws/ses", "aws/send-email", "ses/send-batch", "email/send"]) {
    const { status, body } = await customer.run(model, pack);
    assert.deepEqual([status, body.usage], [200, { emails: 2 }], JSON.stringify(body));
  }
  const plain = await customer.run("aws/send-emails", { to: "a@example.com", subject: "Hi", body: "Hello" });
  assert.deepEqual(plain.body.usage, { emails: 1 });
});

test("subject, text and HTML may be in any script", async () => {
  const greeting = { to: letter.to, subject: "Grüße", text: "你好", html: "<p>Привет</p>" };
  const { status, body } = await customer.run("aws/send-emails", greeting);
  assert.equal(status, 200, JSON.stringify(body));
});

test("Resend sends the same inputs", async () => {
  const payer = await payingCustomer(gateway);
  const { status, body } = await payer.run("resend/send-email", { ...letter, cc: ["bob@example.com"] });
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.message_id, /^[0-9a-f]{8}-/);
  // 0.0009 USD each.
  assert.deepEqual([body.usage, await payer.spent()], [{ emails: 2 }, 0.036]);
});

test("an e-mail without a text, with a line break in its subject or to nobody is refused, naming the input", async () => {
  for (const model of ["aws/send-emails", "resend/send-email"]) {
    assert.deepEqual(await refusedWith(model, { to: letter.to, subject: "Hi" }), invalid("html"));
    const broken = { ...letter, subject: "Hi\r\nBcc: all@example.com" };
    assert.deepEqual(await refusedWith(model, broken), invalid("subject"));
    assert.deepEqual(await refusedWith(model, { ...letter, to: [] }), invalid("to"));
    assert.deepEqual(await refusedWith(model, { ...letter, attachmens: [] }), invalid("attachmens"));
    assert.deepEqual(await refusedWith(model, { ...letter, to: ["nobody@"] }), rejected);
    assert.deepEqual(await refusedWith(model, { ...letter, from: "us@unverified.com" }), rejected);
  }
  assert.deepEqual(await refusedWith("aws/ses", { ...letter, to: ["suppressed@example.com"] }), rejected);
});

test("a text message costs by its segments", async () => {
  const payer = await payingCustomer(gateway);
  const to = "+14155550100";
  const short = await payer.run("twilio/send-sms", { to, text: "Hello" });
  assert.equal(short.status, 200, JSON.stringify(short.body));
  assert.match(short.body.message_id, /^SM/);
  assert.deepEqual(
    [short.body.message_status, short.body.segments, short.body.channels, short.body.usage],
    ["queued", 1, ["sms"], { messages: 1 }],
  );
  // 0.0133 USD a segment.
  assert.equal(short.cost, "0.266000");
  const long = await payer.run("twilio/send-sms", { phone: to, message: "a".repeat(400) });
  assert.deepEqual([long.body.segments, long.body.usage], [3, { messages: 3 }]);
  const other = await payer.run("twilio/send-sms", { to, text: "я".repeat(134) });
  assert.deepEqual(other.body.usage, { messages: 2 });
  const marks = await payer.run("twilio/send-sms", { to, text: "👋".repeat(300) });
  assert.deepEqual(marks.body.usage, { messages: 9 });
  assert.equal(await payer.spent(), 0.266 * 15);
});

test("telephones in countries without a price are refused before anything is sent", async () => {
  for (const to of ["+491701234567", "+18765550100", "+12425550100", "+1415555010", "4155550100"]) {
    assert.deepEqual(await refusedWith("twilio/send-sms", { to, text: "Hi" }), invalid("to"), to);
    assert.deepEqual(await refusedWith("twilio/verify", { to }), invalid("to"), to);
  }
  assert.deepEqual(await refusedWith("twilio/send-sms", { to: "+15005550001", text: "Hi" }), rejected);
  assert.deepEqual(await refusedWith("twilio/verify", { to: "+15005550001" }), rejected);
  // A landline, told with the status of a wrong key: no reason to leave the provider alone.
  assert.deepEqual(await refusedWith("twilio/verify", { to: "+15005550009" }), rejected);
});

test("a number is verified: a wrong code costs nothing, the right one does", async () => {
  const payer = await payingCustomer(gateway);
  const to = "+14155550100";
  const begun = await payer.run("twilio/verify", { to });
  assert.deepEqual(
    [begun.status, begun.body.verification_status, begun.body.channels, begun.body.usage],
    [200, "pending", ["sms"], { messages: 1 }],
  );
  assert.equal(await payer.spent(), 0.266);
  const wrong = await payer.run("twilio/verify-check", { to, code: "000000" });
  assert.deepEqual([wrong.body.valid, wrong.body.usage, wrong.cost], [false, { requests: 0 }, "0.000000"]);
  assert.equal(wrong.body.verification_id, begun.body.verification_id);
  const right = await payer.run("twilio/verify-check", { to, code: "123456" });
  assert.deepEqual([right.body.valid, right.body.verification_status], [true, "approved"]);
  // Where clients of the public contract look.
  assert.deepEqual([right.body.status, right.body.run_status], ["success", "completed"]);
  assert.equal(await payer.spent(), 1.266);
  assert.deepEqual(
    await refusedWith("twilio/verify-check", { to: "+15005550006", code: "123456" }),
    rejected,
  );
});

test("clients of the verification that SkillBoss documents are served", async () => {
  const target = { type: "phone_number", value: "+14155550100" };
  const begun = await customer.run("prelude/verify-send", { target, signals: { ip: "192.0.2.1" } });
  assert.deepEqual([begun.status, begun.body.method], [200, "message"], JSON.stringify(begun.body));
  const checked = await customer.run("prelude/verify-check", { target, code: "123456" });
  assert.equal(checked.body.valid, true);
  assert.deepEqual(await refusedWith("twilio/verify", {}), invalid("to"));
});

const tea = { name: "Tea & cake", amount: 450, quantity: 2 };
const paid = { items: [tea], currency: "EUR", success_url: "https://example.com/?id={CHECKOUT_SESSION_ID}" };

test("a page to pay at is made for a flat price, a new one for every run", async () => {
  const payer = await payingCustomer(gateway);
  const metadata = { order: "42" };
  const { status, body, cost } = await payer.run("stripe/checkout-session", { ...paid, metadata });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.url, `https://checkout.stripe.com/c/pay/${body.session_id}`);
  assert.deepEqual(
    [body.amount_total, body.currency, body.session_status, body.payment_status],
    [900, "eur", "open", "unpaid"],
  );
  assert.deepEqual([body.usage, cost], [{ requests: 1 }, "0.200000"]);
  const again = await payer.run("stripe/checkout-session", { ...paid, metadata });
  assert.notEqual(again.body.session_id, body.session_id);
  const monthly = { ...paid, mode: "subscription", items: [{ ...tea, interval: "month" }] };
  assert.equal((await payer.run("stripe/checkout-session", monthly)).status, 200);
  const known = { ...paid, items: [{ price: "price_1" }] };
  assert.equal((await payer.run("stripe/checkout-session", known)).status, 200);
  assert.equal(await payer.spent(), 0.8);
});

test("an address that anybody can pay at is made", async () => {
  const { status, body } = await customer.run("stripe/payment-link", {
    items: [tea],
    after_completion_url: "https://example.com/thanks",
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.url, /^https:\/\/buy\.stripe\.com\//);
  assert.deepEqual([body.active, body.currency], [true, "usd"]);
});

test("what cannot be paid for is refused, by us where we know and else by the provider", async () => {
  const session = (more: object) => refusedWith("stripe/checkout-session", { ...paid, ...more });
  assert.deepEqual(await session({ items: [] }), invalid("items"));
  assert.deepEqual(await session({ items: [{ name: "Tea" }] }), invalid("items.0.price"));
  assert.deepEqual(await session({ items: [{ ...tea, amount: 4.5 }] }), invalid("items.0.amount"));
  assert.deepEqual(await session({ success_url: "javascript:alert(1)" }), invalid("success_url"));
  assert.deepEqual(await session({ mode: "subscription" }), rejected);
  assert.deepEqual(await session({ items: [{ price: "price_missing" }] }), rejected);
});

test("failures of the providers cost nothing, and nobody knows what came of one that broke, or of an answer that says nothing", async () => {
  const payer = await payingCustomer(gateway);
  const asked = (order: string): readonly (readonly [string, object])[] => [
    ["aws/send-emails", { ...letter, text: order }],
    ["resend/send-email", { ...letter, text: order }],
    ["twilio/send-sms", { to: "+14155550100", text: order }],
    ["stripe/checkout-session", { ...paid, metadata: { note: order } }],
    ["stripe/payment-link", { items: [tea], metadata: { note: order } }],
  ];
  const cases = [
    ["429", 503, "upstream_unavailable"],
    ["500", 502, "outcome_unknown"],
    ["cut", 502, "outcome_unknown"],
    ["empty", 502, "outcome_unknown"],
  ] as const;
  for (const [fault, status, code] of cases) {
    for (const [model, inputs] of asked(`[sandbox:fault-${fault}]`)) {
      const answer = await payer.run(model, inputs);
      const told = [answer.status, answer.body.error?.code];
      assert.deepEqual(told, [status, code], `${model} ${fault} ${JSON.stringify(answer.body)}`);
    }
  }
  assert.equal(await payer.spent(), 0);
});
