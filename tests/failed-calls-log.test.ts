import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { body, cutAfter, errorEventAfter, status } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import { jobCatalog, startFakeJobs } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

/** What the log says of calls that failed: enough to find them, and nothing of what was said in them. */
type Line = Readonly<Record<string, unknown>>;

let server: FakeUpstream;
let jobs: FakeJobs;
let gateway: Gateway;
let customer: Customer;
before(async () => {
  server = await startFakeUpstream();
  jobs = await startFakeJobs();
  gateway = await startGateway({
    p1: server.baseUrl,
    a1: server.origin,
    environment: { R1_API_KEY: "k", R1_BASE_URL: jobs.url },
    moreFiles: jobCatalog,
  });
  customer = await gateway.customer();
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await Promise.all([server.stop(), jobs.stop()]);
});

const lines = (): readonly Line[] =>
  gateway
    .log()
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Line => JSON.parse(line));

const prompt = "my-private-question about a house by the sea";

/** The log lines of one chat that this behaviour answers. */
async function linesOf(
  model: "m-chat" | "m-claude",
  behaviour: Behaviour,
  more: Line = {},
): Promise<readonly Line[]> {
  server.script(model, behaviour);
  const messages = [{ role: "user", content: prompt }];
  const answer = await gateway.chat(customer.key, { model, messages, ...more });
  const told = await answer.text();
  const id = answer.headers.get("x-request-id");
  assert.ok(answer.status >= 400 || told.includes('"error"'), told);
  await eventually(() => lines().some((line) => line["request_id"] === id));
  return lines().filter((line) => line["request_id"] === id);
}

const stream = { stream: true };
const blocked = { type: "invalid_request_error", message: "Output blocked by content filtering policy" };
const cases: readonly (readonly [name: string, behaviour: Behaviour, more: Line, code: RegExp])[] = [
  ["an error event in a stream", errorEventAfter(3), stream, /^upstream_(?:error|unavailable)$/],
  ["a stream that is cut in the middle", cutAfter(3), stream, /^upstream_error$/],
  ["a rejected request", status(400), {}, /^upstream_rejected_request$/],
  ["a rejected request for a stream", status(400), stream, /^upstream_rejected_request$/],
  ["a refusal for its content", status(400, {}, { error: blocked }), {}, /^content_refused$/],
  ["an answer that cannot be read", body("{"), {}, /^upstream_invalid_response$/],
  ["a failing provider", status(500), {}, /^upstream_error$/],
];

for (const model of ["m-chat", "m-claude"] as const) {
  for (const [name, behaviour, more, code] of cases) {
    test(`${name} is in the log once, with request, call, model, offer, code and cause (${model})`, async () => {
      const found = await linesOf(model, behaviour, more);
      assert.equal(found.length, 1, JSON.stringify(found));
      const [line = {}] = found;
      assert.match(String(line["code"]), code);
      assert.equal(line["call_id"], String(line["request_id"]).replace("req_", "call_"));
      assert.equal(line["model"], model);
      assert.match(String(line["offer"]), model === "m-chat" ? /^p1\// : /^a1\//);
      assert.equal(line["level"], 40);
      assert.ok(
        String(line["cause"]).length > 3 && String(line["cause"]).length < 300,
        String(line["cause"]),
      );
    });
  }
}

test("a run that failed is in the log once, with request, run, model, offer, code and cause", async () => {
  const answer = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m-job", inputs: { orders: { fails: true } } }),
  });
  assert.equal(answer.status, 502, await answer.text());
  const id = answer.headers.get("x-request-id") ?? "";
  const found = lines().filter((line) => line["request_id"] === id);
  assert.equal(found.length, 1, JSON.stringify(found));
  const [line = {}] = found;
  assert.equal(line["run_id"], id.replace("req_", "run_"));
  assert.deepEqual([line["model"], line["code"]], ["m-job", "run_failed"]);
  assert.match(String(line["offer"]), /^r1\//);
  assert.match(String(line["cause"]), /^200 \d+ bytes/);
});

test("an address that a customer may not have fetched is in the log as why it may not, on one line", async () => {
  for (const [model, input] of [
    ["local/scrape", "url"],
    ["local/parse", "document_url"],
  ] as const) {
    const answer = await fetch(`${gateway.url}/v1/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model, inputs: { [input]: "http://10.0.0.1/page" } }),
    });
    const { error } = JSON.parse(await answer.text());
    assert.deepEqual([answer.status, error.code], [400, "url_not_allowed"], model);
    const id = answer.headers.get("x-request-id");
    const [line = {}, ...more] = lines().filter((one) => one["request_id"] === id);
    assert.deepEqual([line["code"], line["level"], more.length], ["url_not_allowed", 40, 0]);
    assert.match(String(line["cause"]), /^[^\n]{4,100}$/);
    assert.doesNotMatch(String(line["cause"]), /\bat /);
  }
});

test("of an answer that cannot be read the log has the shape, and not a word", async () => {
  const words = "Hello! How can I help you with the house by the sea?";
  const whole = `{"choices":[{"message":{"role":"assistant","content":${JSON.stringify(words)}`;
  for (const model of ["m-chat", "m-claude"] as const) {
    for (const bytes of [
      whole,
      words,
      JSON.stringify(words),
      `[${JSON.stringify(words)}]`,
      `{"a":"${words}"}`,
    ]) {
      const [line = {}] = await linesOf(model, body(bytes, { "content-type": "application/json; x=1" }));
      assert.equal(line["code"], "upstream_invalid_response");
      assert.doesNotMatch(JSON.stringify(line), /Hello|house|help/);
      assert.match(String(line["cause"]), /application\/json/);
    }
    const event = `data: {"choices":[{"index":0,"delta":{"content":"${words}\n\n`;
    const [line = {}] = await linesOf(model, body(event, { "content-type": "text/event-stream" }), stream);
    assert.doesNotMatch(JSON.stringify(line), /Hello|house|help/);
  }
});

test("of a refusal the log has the provider's message, without what it quotes at length", async () => {
  const message = `Invalid value: '${prompt}'. Supported values are: 'a' and 'b'. You said "${prompt}" and \`${prompt}\``;
  for (const model of ["m-chat", "m-claude"] as const) {
    const told = { error: { type: "invalid_request_error", message, code: "invalid_value" } };
    const [line = {}] = await linesOf(model, status(400, {}, { type: "error", ...told }));
    assert.match(String(line["cause"]), /Invalid value: .*Supported values are: 'a' and 'b'/);
    assert.doesNotMatch(JSON.stringify(line), /private|house/);
  }
});

test("a refusal that is no error of the wire is told by its shape", async () => {
  for (const model of ["m-chat", "m-claude"] as const) {
    for (const bytes of [
      `<html>${prompt}</html>`,
      prompt,
      JSON.stringify({ input: prompt }),
      `{"a":"${prompt}`,
    ]) {
      const [line = {}] = await linesOf(model, status(500, { "content-type": "text/html" }, bytes));
      assert.match(String(line["cause"]), new RegExp(`500 .*${bytes.length} bytes`));
      assert.doesNotMatch(JSON.stringify(line), /private|house/);
    }
  }
});

test("no line of the log has a prompt in it", () => {
  assert.doesNotMatch(gateway.log(), /my-private-question/);
});
