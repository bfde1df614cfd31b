/** What a test key orders the emulators to do by a header, at every door; a live key orders nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { jobCatalog, startFakeJobs } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
let upstream: FakeUpstream;
let jobs: FakeJobs;
let tester: Customer;

before(async () => {
  [upstream, jobs] = await Promise.all([startFakeUpstream(), startFakeJobs()]);
  gateway = await startGateway({
    p1: upstream.baseUrl,
    moreFiles: jobCatalog,
    environment: {
      R1_API_KEY: "secret-r1",
      R1_BASE_URL: jobs.url,
      SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "1500",
    },
  });
  tester = await gateway.customer({ mode: "test" });
});
after(async () => {
  await endsClean(gateway);
  await Promise.all([upstream.stop(), jobs.stop()]);
});

type Orders = Readonly<Record<string, string>>;
type Asked = { readonly key?: string; readonly orders?: Orders };

function post(path: string, body: object, { key = tester.key, orders = {} }: Asked = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...orders },
    body: JSON.stringify(body),
  });
}

/** Status and code; of an answer that is no refusal, its status. */
async function outcome(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  const code = response.ok ? "" : ` ${JSON.parse(text).error.code}`;
  return `${response.status}${code}`;
}

const messages = [{ role: "user", content: "Tell me about rain" }];
const chat = (model: string, more: object = {}) =>
  ["/v1/chat/completions", { model, messages, ...more }] as const;

/** As docs/test-mode.md tells them: each order, and how a chat ends. */
const page = readFileSync(join(import.meta.dirname, "../docs/test-mode.md"), "utf8");
const faults = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) +\| .+? \| (\d+)(?: `(\w+)`)?.*\|$/gm)].flatMap(
  ([, orders = "", status = "", code]) =>
    [...orders.matchAll(/\w+/g)].map(([order]) => [order, code ? `${status} ${code}` : status] as const),
);

test("docs/test-mode.md tells every kind of fault", () => {
  const told = faults.map(([fault]) => fault).filter((fault) => !/^\d/.test(fault));
  assert.deepEqual(told.toSorted(), ["cut", "empty", "error", "hang", "malformed", "nousage", "slow"]);
  assert.equal(faults.length, 19);
});

for (const [fault, expected] of faults) {
  test(`x-sandbox-fault: ${fault} makes a chat end as ${expected}, on both wires, as a chat or as a run`, async () => {
    const orders = { "x-sandbox-fault": fault, ...(fault === "slow" ? { "x-sandbox-delay-ms": "50" } : {}) };
    const asked = ["gpt-4o-mini", "claude-4-5-sonnet"].flatMap((model) => [
      outcome(post(...chat(model), { orders })),
      outcome(post("/v1/run", { model, inputs: { messages } }, { orders })),
    ]);
    assert.deepEqual(await Promise.all(asked), [expected, expected, expected, expected]);
  });
}

test("the headers order lengths, pauses and interruptions of a stream as a prompt does", async () => {
  const orders = { "x-sandbox-tokens": "30", "x-sandbox-pace-ms": "5" };
  const started = performance.now();
  const answer = await post(...chat("gpt-4o-mini", { stream: true }), { orders });
  const frames = (await answer.text()).split("\n\n").filter((frame) => frame.includes('"content":"'));
  assert.ok(performance.now() - started >= 30 * 5);
  assert.ok(frames.length >= 30 && frames.length <= 31, String(frames.length));
  const cut = await post(...chat("claude-4-5-sonnet", { stream: true }), {
    orders: { "x-sandbox-fault": "cut" },
  });
  const text = await cut.text();
  assert.match(text, /"code":"upstream_error"/);
  assert.doesNotMatch(text, /\[DONE\]/);
});

test("runs at every door obey the headers, those of jobs included", async () => {
  const orders = { "x-sandbox-fault": "429" };
  const asked: readonly (readonly [string, object])[] = [
    ["/v1/run", { model: "flux-1.1-pro", inputs: { prompt: "A fox" } }],
    ["/v1/run", { model: "local/scrape", inputs: { url: "https://example.com" } }],
    ["/v1/images/generations", { model: "flux-1.1-pro", prompt: "A fox" }],
    ["/v1/audio/speech", { model: "openai/tts-1", input: "Hello", voice: "alloy" }],
    ["/v1/embeddings", { model: "text-embedding-3-small", input: "A fox" }],
  ];
  for (const [path, body] of asked) {
    assert.equal(await outcome(post(path, body)), "200", path);
    assert.equal(await outcome(post(path, body, { orders })), "503 upstream_unavailable", path);
  }
  const image = ["/v1/run", { model: "flux-1.1-pro", inputs: { prompt: "A fox" } }] as const;
  const failing = post(...image, { orders: { "x-sandbox-job": "fail" } });
  assert.equal(await outcome(failing), "502 run_failed");
  const late = post(...image, { orders: { "x-sandbox-unknown": "2", "x-sandbox-poll": "503" } });
  assert.equal(await outcome(late), "200");
});

test("a misspelt order is refused by name: nothing would fail, and a test of a failure would pass", async () => {
  for (const [name, value, want] of [
    ["x-sandbox-fault", "nonsense", /^x-sandbox-fault: want a status from 400 to 599, slow, hang/],
    ["x-sandbox-fault", "200", /^x-sandbox-fault: want a status/],
    ["x-sandbox-pace-ms", "soon; or never", /^x-sandbox-pace-ms: want a whole number/],
    ["x-sandbox-more", "1", /^x-sandbox-more: there is no such order; there are x-sandbox-fault, /],
  ] as const) {
    for (const call of [chat("gpt-4o-mini"), ["/v1/run", { model: "flux-1.1-pro", inputs: {} }] as const]) {
      const [path, body] = call;
      const response = await post(path, body, { orders: { [name]: value } });
      const { error } = JSON.parse(await response.text());
      assert.deepEqual([response.status, error.code, error.param], [400, "invalid_request", name]);
      assert.match(error.message, want);
    }
  }
});

test("with a live key nothing is ordered: no provider sees the headers, neither of chats nor of runs", async () => {
  const { key } = await gateway.customer({ mode: "live" });
  const orders = { "x-sandbox-fault": "429", "x-sandbox-job": "fail", "x-sandbox-delay-ms": "9" };
  assert.equal(await outcome(post(...chat("m-chat"), { key, orders })), "200");
  assert.equal(await outcome(post("/v1/run", { model: "m-run", inputs: {} }, { key, orders })), "200");
  const seen = [upstream.calls("m-chat")[0]?.headers, jobs.submissions[0]?.headers];
  for (const headers of seen) {
    assert.ok(headers !== undefined);
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.includes("sandbox")),
      [],
    );
  }
  const suffixed = post(...chat("m-chat-fault-429"), { key });
  assert.equal(await outcome(suffixed), "404 model_not_found");
});
