/**
 * E-mail, SMS and payments are asked of a provider once: whatever becomes of the answer, they are not sent again. Live runs
 * against a provider of ours that counts.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

type Heard = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string };
/** What the provider does with a request that it has read whole. */
type Behaviour = "cut" | "cut-answer" | "reset" | "nonsense" | 400 | 408 | 409 | 429 | 500 | 502 | 503 | 504;

let behaviour: Behaviour = "cut";
let heard: Heard[] = [];
let server: Server;
let gateway: Gateway;

before(async () => {
  server = createServer((request, response) => {
    void buffer(request).then((body) => {
      heard.push({ path: request.url ?? "", headers: request.headers, body: body.toString() });
      answerWith(behaviour, request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  gateway = await startGateway({ environment: environmentAt(`http://127.0.0.1:${port}`) });
});
after(async () => {
  await endsClean(gateway, {
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
});

function answerWith(what: Behaviour, { socket }: IncomingMessage, response: ServerResponse): void {
  const json = { "content-type": "application/json" };
  if (typeof what === "number") response.writeHead(what, json).end("{}");
  else if (what === "nonsense") response.writeHead(200, json).end("<html>");
  else if (what === "cut-answer") {
    response.writeHead(200, { ...json, "content-length": "100" });
    response.write('{"id":', () => socket.destroy());
  } else if (what === "reset") socket.resetAndDestroy();
  else socket.destroy();
}

function environmentAt(url: string): Readonly<Record<string, string>> {
  return {
    SES_BASE_URL: url,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SES_FROM: "us@example.com",
    RESEND_BASE_URL: url,
    RESEND_API_KEY: "re_test",
    RESEND_FROM: "us@example.com",
    TWILIO_BASE_URL: url,
    TWILIO_VERIFY_BASE_URL: url,
    TWILIO_ACCOUNT_SID: "AC1",
    TWILIO_AUTH_TOKEN: "token",
    TWILIO_FROM: "+15005550006",
    TWILIO_VERIFY_SERVICE_SID: "VA1",
    STRIPE_BASE_URL: url,
    STRIPE_API_KEY: "sk_test",
  };
}

const letter = { to: ["ada@example.com"], subject: "Hello", text: "Hi" };
const items = [{ name: "Tea", amount: 450 }];
const acts: readonly (readonly [model: string, inputs: object, path: string])[] = [
  ["aws/send-emails", letter, "/v2/email/outbound-emails"],
  ["resend/send-email", letter, "/emails"],
  ["twilio/send-sms", { to: "+14155550100", text: "Hi" }, "/2010-04-01/Accounts/AC1/Messages.json"],
  ["twilio/verify", { to: "+14155550100" }, "/v2/Services/VA1/Verifications"],
  ["twilio/verify-check", { to: "+14155550100", code: "1234" }, "/v2/Services/VA1/VerificationCheck"],
  ["stripe/checkout-session", { items, success_url: "https://example.com/" }, "/v1/checkout/sessions"],
  ["stripe/payment-link", { items }, "/v1/payment_links"],
];

const outcomes: readonly (readonly [Behaviour, status: number, code: string])[] = [
  ["cut", 502, "outcome_unknown"],
  ["cut-answer", 502, "outcome_unknown"],
  ["reset", 502, "outcome_unknown"],
  ["nonsense", 502, "outcome_unknown"],
  [400, 400, "upstream_rejected_request"],
  [408, 503, "upstream_unavailable"],
  [409, 503, "upstream_unavailable"],
  [429, 503, "upstream_unavailable"],
  [500, 502, "outcome_unknown"],
  [502, 502, "outcome_unknown"],
  [503, 502, "upstream_error"],
  [504, 502, "outcome_unknown"],
];

test("nothing that acts on the world is asked for twice, and nothing of it is charged without an answer", async () => {
  const customer = await payingCustomer(gateway, { mode: "live" });
  for (const [next, status, code] of outcomes) {
    behaviour = next;
    heard = [];
    const asked = acts.map(async ([model, inputs]) => ({ model, ...(await customer.run(model, inputs)) }));
    for (const { model, status: told, body } of await Promise.all(asked))
      assert.deepEqual([told, body.error?.code], [status, code], `${model} ${next}: ${JSON.stringify(body)}`);
    const paths = heard.map(({ path }) => path).toSorted();
    assert.deepEqual(paths, acts.map(([, , path]) => path).toSorted(), `${next}`);
  }
  assert.equal(await customer.spent(), 0);
});

test("what may have been done is not done again for a client that asks again under its Idempotency-Key", async () => {
  const { key } = await payingCustomer(gateway, { mode: "live" });
  for (const next of ["nonsense", 500, 504] as const) {
    behaviour = next;
    heard = [];
    const asked = { "idempotency-key": `letter ${next}`, "content-type": "application/json" };
    const body = JSON.stringify({ model: "resend/send-email", inputs: letter });
    for (let times = 0; times < 2; times += 1) {
      const headers = { authorization: `Bearer ${key}`, ...asked };
      const answer = await fetch(`${gateway.url}/v1/run`, { method: "POST", headers, body });
      assert.deepEqual([answer.status, answer.headers.get("x-should-retry")], [502, "false"], `${next}`);
    }
    assert.equal(heard.length, 1, `${next}`);
  }
});

test("providers that know runs by a key get the run's own, and all of them the operator's settings", async () => {
  const customer = await payingCustomer(gateway, { mode: "live" });
  behaviour = 400;
  heard = [];
  const runs: string[] = [];
  for (const [model, inputs] of acts) runs.push((await customer.run(model, inputs)).body.error.run_id);
  const keys = heard.map(({ headers }) => headers["idempotency-key"]);
  assert.deepEqual(keys, [undefined, runs[1], undefined, undefined, undefined, runs[5], runs[6]]);
  const [ses, resend, sms, verify, check, session] = heard;
  assert.match(
    ses?.headers.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-central-1\/ses\//,
  );
  assert.equal(JSON.parse(ses?.body ?? "").FromEmailAddress, "us@example.com");
  assert.equal(resend?.headers.authorization, "Bearer re_test");
  const basic = `Basic ${Buffer.from("AC1:token").toString("base64")}`;
  for (const one of [sms, verify, check]) assert.equal(one?.headers.authorization, basic);
  assert.equal(new URLSearchParams(sms?.body).get("From"), "+15005550006");
  assert.equal(session?.headers["stripe-version"], "2026-10-28.endive");
  assert.equal(
    new URLSearchParams(session?.body).get("line_items[0][price_data][product_data][name]"),
    "Tea",
  );
});
