/** Mail in the form of the Skills Pack and of the command line: each receiver once, each charged once. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseCredits } from "../src/core/credits.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
let customer: Customer;
before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test" });
});
after(() => endsClean(gateway));

async function send(path: string, body: object, key = customer.key) {
  const response = await fetch(`${gateway.url}/v1/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: response.status, body: (await response.json()) as any, headers: response.headers };
}

async function available(key = customer.key): Promise<bigint> {
  return parseCredits((await gateway.get(key, "/v1/balance")).body.available) ?? -1n;
}

/** 0.0001 USD. */
const perMail = 2_000n;

function receivers(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    email: `r${at}@example.com`,
    variables: { name: `R ${at}` },
  }));
}

const letter = { title: "Hi {{name}}", body_html: "<p>Hi {{name}}</p>" };

type Result = { readonly email: string; readonly status: string; readonly run_id?: string };

test("one message goes to all receivers together, and costs one e-mail each", async () => {
  const before = await available();
  const { status, body, headers } = await send("send-email", {
    title: "Hello",
    body_html: "<p>Hello</p>",
    receivers: ["ada@example.com", "bob@example.com"],
    reply_to: ["us@example.com"],
    project_id: "p1",
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.success, body.status, body.usage], [true, "completed", { emails: 2 }]);
  assert.match(body.message_id, /^[0-9a-f]{16}-/);
  assert.equal(headers.get("x-skillboss-dropped"), "project_id");
  assert.equal(headers.get("x-skillboss-cost"), "0.004000");
  assert.equal(before - (await available()), 2n * perMail);
});

test("each receiver gets a message of their own, as a run of its own, charged once", async () => {
  const before = await available();
  const { status, body, headers } = await send("send-emails", { ...letter, receivers: receivers(5) });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.success, body.count, body.sent, body._call_cost_usd], [true, 5, 5, 0.0005]);
  const results: readonly Result[] = body.results;
  assert.deepEqual(
    results.map(({ email }) => email),
    receivers(5).map(({ email }) => email),
  );
  assert.equal(new Set(results.map((result) => result.run_id)).size, 5);
  assert.equal(headers.get("x-skillboss-cost"), "0.010000");
  assert.equal(before - (await available()), 5n * perMail);
  for (const { run_id: id } of results) {
    const job = await gateway.get(customer.key, `/v1/job/${id}`);
    assert.deepEqual([job.status, job.body.status, job.body.result.usage], [200, "completed", { emails: 1 }]);
  }
});

test("the command line's list of letters, and variables of a single message, are sent one by one", async () => {
  const listed = await send("send-emails", {
    emails: [
      { title: "A", body_html: "<p>A</p>", receivers: ["ada@example.com"] },
      { subject: "B", html: "<p>B</p>", to: ["ada@example.com", "bob@example.com"] },
    ],
  });
  assert.deepEqual([listed.status, listed.body.sent], [200, 3], JSON.stringify(listed.body));
  const single = await send("send-email", { ...letter, receivers: receivers(2) });
  assert.deepEqual([single.status, single.body.sent], [200, 2], JSON.stringify(single.body));
});

test("what becomes of one message is told, and the others are sent all the same", async () => {
  const before = await available();
  const mixed = [
    { email: "ada@example.com", variables: { name: "Ada" } },
    { email: "suppressed@example.com", variables: { name: "S" } },
    { email: "cut@example.com", variables: { name: "[sandbox:fault-cut]" } },
    { email: "bob@example.com", variables: { name: "Bob" } },
  ];
  const { status, body } = await send("send-emails", { ...letter, receivers: mixed });
  assert.equal(status, 200);
  assert.deepEqual(
    body.results.map((result: Result & { error_code?: string }) => [result.status, result.error_code]),
    [
      ["sent", undefined],
      ["failed", "upstream_rejected_request"],
      ["unknown", "outcome_unknown"],
      ["sent", undefined],
    ],
  );
  assert.deepEqual([body.success, body.sent, body.failed, body.unknown], [false, 2, 1, 1]);
  assert.equal(before - (await available()), 2n * perMail);
});

test("nobody gets anything from a request that is wrong anywhere", async () => {
  const before = await available();
  const refused = async (body: object, path = "send-emails") => {
    const answer = await send(path, body);
    return [answer.status, answer.body.error?.code, answer.body.error?.param];
  };
  const invalid = (param: string) => [400, "invalid_request", param];
  const [first] = receivers(1);
  assert.deepEqual(
    await refused({ ...letter, receivers: [first, { email: "b@example.com", variables: {} }] }),
    invalid("receivers"),
  );
  assert.deepEqual(await refused({ ...letter, receivers: [first, first] }), invalid("receivers"), "twins");
  assert.deepEqual(await refused({ ...letter, receivers: receivers(501) }), invalid("receivers"));
  assert.deepEqual(await refused({ ...letter, receivers: ["nobody"] }), invalid("receivers[0]"));
  assert.deepEqual(await refused({ ...letter }), invalid("receivers"));
  assert.deepEqual(
    await refused({ title: "x", receivers: ["a@example.com"] }, "send-email"),
    invalid("body_html"),
  );
  assert.equal(await available(), before);
});

test("credits or a minute that do not reach: told as such for none, and which were taken for some", async () => {
  const poor = await gateway.customer({ mode: "test", credits: "0.005" });
  const none = await gateway.customer({ mode: "test", credits: "0.001" });
  const refused = await send("send-emails", { ...letter, receivers: receivers(2) }, none.key);
  assert.deepEqual([refused.status, refused.body.error.code], [402, "insufficient_balance"]);
  const some = await send("send-emails", { ...letter, receivers: receivers(4) }, poor.key);
  assert.deepEqual(
    some.body.results.map(({ status }: Result) => status),
    ["sent", "sent", "not_sent", "not_sent"],
  );
  assert.equal(some.body.results[3].error_code, "insufficient_balance");
  assert.equal(await available(poor.key), 1_000n);
  const slow = await gateway.customer({ mode: "test", rpm: 3 });
  const limited = await send("send-emails", { ...letter, receivers: receivers(5) }, slow.key);
  assert.deepEqual(
    limited.body.results.map(
      (result: Result & { error_code?: string }) => result.error_code ?? result.status,
    ),
    ["sent", "sent", "sent", "rate_limit_exceeded", "rate_limit_exceeded"],
  );
});
