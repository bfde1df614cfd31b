import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../core/problems.ts";
import { contextOf, endpoint, RunUnderTest, wireOf } from "./run-under-test.ts";

const recipients = {
  $concat: [{ $array: "$.inputs.to" }, { $array: "$.inputs.cc" }, { $array: "$.inputs.bcc" }],
};

const ses = endpoint({
  request: {
    path: "/v2/email/outbound-emails",
    body: {
      FromEmailAddress: { $default: ["$.inputs.from", "$.env.from"] },
      Destination: {
        ToAddresses: { $array: "$.inputs.to" },
        CcAddresses: { $array: "$.inputs.cc" },
        BccAddresses: { $array: "$.inputs.bcc" },
      },
      Content: {
        Simple: {
          Subject: { Data: "$.inputs.subject" },
          Body: {
            Html: { $if: ["$.inputs.html", { Data: "$.inputs.html" }, null] },
            Text: { $if: ["$.inputs.text", { Data: "$.inputs.text" }, null] },
          },
        },
      },
    },
  },
  errors: {
    message: "$.res.message",
    code: "$.headers.x-amzn-errortype",
    codes: { AccountSuspendedException: "credential", LimitExceededException: "busy" },
  },
  output: { message_id: "$.res.MessageId" },
  meters: [{ meter: "emails", reserve: { $len: recipients } }],
});

test("SES: one recipient or many, charged by the recipient, errors named in a header", () => {
  const env = { from: "us@gate.example" };
  const inputs = { to: "a@e.example", cc: ["b@e.example", "c@e.example"], subject: "Hi", text: "Hello" };
  const run = new RunUnderTest(ses, contextOf(inputs, { env }));
  assert.deepEqual(run.json, {
    FromEmailAddress: "us@gate.example",
    Destination: {
      ToAddresses: ["a@e.example"],
      CcAddresses: ["b@e.example", "c@e.example"],
      BccAddresses: [],
    },
    Content: { Simple: { Subject: { Data: "Hi" }, Body: { Text: { Data: "Hello" } } } },
  });
  const end = run.end({ MessageId: "0100" });
  assert.deepEqual([end.output, end.usage, end.estimated], [{ message_id: "0100" }, { emails: 3 }, false]);
  const kinds = ["MessageRejected", "AccountSuspendedException", "LimitExceededException"].map(
    (code) => run.fault({ message: "no" }, 400, { "x-amzn-ErrorType": code }).kind,
  );
  assert.deepEqual(kinds, ["rejected", "credential", "busy"]);
});

const stripe = endpoint({
  request: {
    path: "/v1/checkout/sessions",
    encoding: "form",
    headers: { "idempotency-key": { $default: ["$.inputs.idempotency_key", "$.run.id"] } },
    body: {
      mode: "payment",
      success_url: "$.inputs.success_url",
      allow_promotion_codes: "$.inputs.promotions",
      line_items: {
        $map: {
          from: "$.inputs.items",
          as: "i",
          to: {
            quantity: { $default: ["$.i.quantity", 1] },
            price_data: {
              currency: "$.i.currency",
              unit_amount: "$.i.amount",
              product_data: { name: "$.i.name" },
            },
          },
        },
      },
    },
  },
  errors: { message: "$.res.error.message", code: "$.res.error.code" },
  output: { id: "$.res.id", url: "$.res.url" },
  meters: [{ meter: "requests" }],
});

test("Stripe: nested members in brackets, truths as words, an idempotency key that stays over attempts", () => {
  const items = [
    { name: "Tea & cake", amount: 450, currency: "eur" },
    { name: "Ä", amount: 1, currency: "eur", quantity: 2 },
  ];
  const context = contextOf({ success_url: "https://e.example/ok?a=1", items, promotions: false });
  const run = new RunUnderTest(stripe, context);
  assert.deepEqual(run.ask.headers, {
    "idempotency-key": "run_1",
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.equal(
    run.text,
    [
      "mode=payment",
      "success_url=https%3A%2F%2Fe.example%2Fok%3Fa%3D1",
      "allow_promotion_codes=false",
      "line_items[0][quantity]=1",
      "line_items[0][price_data][currency]=eur",
      "line_items[0][price_data][unit_amount]=450",
      "line_items[0][price_data][product_data][name]=Tea%20%26%20cake",
      "line_items[1][quantity]=2",
      "line_items[1][price_data][currency]=eur",
      "line_items[1][price_data][unit_amount]=1",
      "line_items[1][price_data][product_data][name]=%C3%84",
    ].join("&"),
  );
  const end = run.end({ id: "cs_1", object: "checkout.session", url: "https://checkout.stripe.com/c/cs_1" });
  assert.deepEqual(end.output, { id: "cs_1", url: "https://checkout.stripe.com/c/cs_1" });
  const error = { type: "card_error", code: "card_declined", message: "Your card was declined." };
  const fault = run.fault({ error }, 402);
  assert.deepEqual([fault.kind, fault.code], ["credential", "card_declined"]);
});

test("Stripe: a header's value with a line break is refused before anything is sent", () => {
  for (const idempotency_key of ["a\r\nauthorization: x", "a\nb", "\u{1f44b}", { a: 1 }]) {
    assert.throws(
      () => wireOf(stripe).begin(contextOf({ success_url: "x", items: [], idempotency_key })),
      (error) => error instanceof Problem && error.status === 400 && error.param === "inputs.idempotency_key",
    );
  }
});

const twilio = endpoint({
  request: {
    path: "/v2/Services/{env.service}/Verifications",
    encoding: "form",
    body: { To: "$.inputs.to", Channel: { $default: ["$.inputs.channel", "sms"] } },
  },
  errors: { message: "$.res.message", code: "$.res.code", codes: { "60203": "busy" } },
  output: { id: "$.res.sid", status: "$.res.status" },
  meters: [{ meter: "messages" }],
});

test("Twilio Verify: the service is the operator's setting, a part of the path", () => {
  const env = { service: "VAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
  const run = new RunUnderTest(twilio, contextOf({ to: "+491701234567" }, { env }));
  assert.equal(run.where, `POST /v2/Services/${env.service}/Verifications`);
  assert.equal(run.text, "To=%2B491701234567&Channel=sms");
  const end = run.end({ sid: "VE1", status: "pending", valid: false, lookup: {} }, 201);
  assert.deepEqual(end.output, { id: "VE1", status: "pending" });
  const error = {
    code: 60200,
    message: "Invalid parameter",
    more_info: "https://www.twilio.com",
    status: 400,
  };
  assert.deepEqual(run.fault(error, 400).code, "60200");
  assert.equal(run.fault({ ...error, code: 60203 }, 429).kind, "busy");
});

test("Twilio Verify: without the operator's setting nothing is sent, and the refusal names it", () => {
  assert.throws(
    () => wireOf(twilio).begin(contextOf({ to: "+1" })),
    (error) =>
      error instanceof Problem &&
      error.code === "provider_not_configured" &&
      /\benv\.service\b/.test(error.message),
  );
});
