/** Case C-09 of the test plan: the same Idempotency-Key and body give the same answer and one charge. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import sharp from "sharp";
import { wavOf } from "../src/sandbox/media/wav.ts";
import { hello } from "./support/chat-exchange.ts";
import type { ChatExchange } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import * as fake from "./support/fake-behaviours.ts";
import { jobCatalog, startFakeJobs, unitCost } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { quietAudit } from "./support/money-trail.ts";
import { startPostgres } from "./support/postgres.ts";
import type { TestPostgres } from "./support/postgres.ts";
import { chargesOf, send, sendUntilFinal, startRepeated } from "./support/repeated-requests.ts";
import type { Repeated, RepeatedAnswer } from "./support/repeated-requests.ts";
import { seededRandom } from "./support/seeded-random.ts";

const chatPath = "/v1/chat/completions";
const chatBody = { model: "m-chat", messages: hello };
const image = { model: "flux-1.1-pro", inputs: { prompt: "A fox [sandbox:job-ms-300]" } };

const found = await startPostgres({ own: true });
const skip = "skipped" in found ? found.skipped : false;

let upstream: FakeUpstream;
let jobs: FakeJobs;
let gateway: Gateway;
before(async () => {
  upstream = await startFakeUpstream();
  jobs = await startFakeJobs();
  gateway = await startGateway({
    p1: upstream.baseUrl,
    moreFiles: jobCatalog,
    environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: jobs.url },
  });
});
after(async () => {
  await endsClean(gateway, upstream, jobs);
  if (!("skipped" in found)) await found.stop();
});

function assertSame(answers: readonly RepeatedAnswer[]): void {
  const [first, ...others] = answers;
  assert.ok(first !== undefined);
  for (const other of others) {
    assert.deepEqual([other.status, other.text], [first.status, first.text]);
    for (const name of ["content-type", "x-skillboss-cost", "x-skillboss-model", "location"])
      assert.equal(other.headers.get(name), first.headers.get(name), name);
  }
  assert.equal(new Set(answers.map(({ headers }) => headers.get("x-request-id"))).size, answers.length);
}

for (const stream of [false, true]) {
  test(`C-09 thrice the same ${stream ? "streamed " : ""}chat: one call at the provider, one charge, one answer, one place in the minute`, async () => {
    upstream.clear();
    const customer = await gateway.customer({ rpm: 1, concurrent: 1 });
    const body = { ...chatBody, stream, stream_options: stream ? { include_usage: true } : undefined };
    const request = { path: chatPath, body, customer, idempotencyKey: randomUUID() };
    const answers = [];
    for (let times = 0; times < 3; times += 1) answers.push(await send(gateway, request));
    assertSame(answers);
    const texts = answers.map(({ text }) =>
      stream ? text.endsWith("data: [DONE]\n\n") : JSON.parse(text).id,
    );
    assert.ok(texts.every(Boolean));
    assert.deepEqual(
      answers.map(({ status, isReplay }) => [status, isReplay]),
      [
        [200, false],
        [200, true],
        [200, true],
      ],
    );
    assert.equal(upstream.calls("m-chat").length, 1);
    assert.equal((await chargesOf(gateway, customer)).length, 1);
    const other = await send(gateway, { ...request, idempotencyKey: randomUUID() });
    assert.equal(other.code, "rate_limit_exceeded", "the minute had room for the first only");

    const changed = await send(gateway, { ...request, body: { ...body, max_tokens: 5 } });
    assert.deepEqual([changed.status, changed.code], [422, "idempotency_key_reused"]);
    const tooLong = await send(gateway, { ...request, idempotencyKey: "k".repeat(256) });
    assert.deepEqual([tooLong.status, tooLong.code], [400, "invalid_request"]);
    assert.equal(upstream.calls("m-chat").length, 1);
    assert.equal((await chargesOf(gateway, customer)).length, 1);
  });
}

test("C-09 thrice the same run: one run, one charge, one answer, whole and as a job", async () => {
  for (const [body, status] of [
    [image, 200],
    [{ ...image, async: true }, 202],
  ] as const) {
    const customer = await gateway.customer({ mode: "test" });
    const request = { path: "/v1/run", body, customer, idempotencyKey: randomUUID() };
    const answers = [];
    for (let times = 0; times < 3; times += 1) answers.push(await send(gateway, request));
    assertSame(answers);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [status, status, status],
    );
    const jobs = await gateway.get(customer.key, "/v1/job");
    assert.equal(jobs.body.count, 1);
    await quietAudit(gateway);
    assert.deepEqual(await chargesOf(gateway, customer, "test"), [2_000_000n]);
  }
});

test("C-09 thrice the same at a provider of runs: it is asked once, and another body with the key asks nothing", async () => {
  for (const [body, status, cost] of [
    [{ model: "m-run", inputs: {} }, 200, unitCost],
    [{ model: "m-job", inputs: {} }, 200, unitCost * 3n],
    [{ model: "m-job", inputs: {}, async: true }, 202, unitCost * 3n],
  ] as const) {
    const customer = await gateway.customer();
    const known = jobs.submissions.length;
    const request = { path: "/v1/run", body, customer, idempotencyKey: randomUUID() };
    const answers = [];
    for (let times = 0; times < 3; times += 1) answers.push(await send(gateway, request));
    assertSame(answers);
    assert.deepEqual(
      answers.map((answer) => [answer.status, answer.isReplay]),
      [
        [status, false],
        [status, true],
        [status, true],
      ],
    );
    const changed = await send(gateway, { ...request, body: { ...body, inputs: { orders: { ms: 1 } } } });
    assert.deepEqual([changed.status, changed.code], [422, "idempotency_key_reused"]);
    const tooLong = await send(gateway, { ...request, idempotencyKey: "k".repeat(256) });
    assert.deepEqual([tooLong.status, tooLong.code], [400, "invalid_request"]);
    await quietAudit(gateway);
    assert.equal(jobs.submissions.length - known, 1);
    assert.deepEqual(await chargesOf(gateway, customer), [cost]);
  }
});

test("C-09 a run that failed without a charge is begun anew with the same key; a new key for one that is refused is not needed", async () => {
  const customer = await gateway.customer({ mode: "test" });
  const request = { path: "/v1/run", customer, idempotencyKey: randomUUID() };
  const failing = { ...image, inputs: { prompt: "A fox [sandbox:job-fail]" } };
  assert.equal((await send(gateway, { ...request, body: failing })).code, "run_failed");
  const refused = { ...image, inputs: { prompt: "" } };
  assert.equal((await send(gateway, { ...request, body: refused })).code, "invalid_request");
  const answer = await send(gateway, { ...request, body: image });
  assert.deepEqual([answer.status, answer.isReplay], [200, false]);
  assert.deepEqual(await chargesOf(gateway, customer, "test"), [2_000_000n]);
});

test("C-09 a client that leaves a run and asks again gets that run's result", async () => {
  const customer = await gateway.customer({ mode: "test" });
  const request = { path: "/v1/run", body: image, customer, idempotencyKey: randomUUID() };
  const leaving = new AbortController();
  const first = fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${customer.key}`,
      "content-type": "application/json",
      "idempotency-key": request.idempotencyKey,
    },
    body: JSON.stringify(image),
    signal: leaving.signal,
  }).catch(() => "gone");
  for (let count = 0; count === 0;) count = (await gateway.get(customer.key, "/v1/job")).body.count;
  leaving.abort();
  assert.equal(await first, "gone");
  const answers = [await sendUntilFinal(gateway, request), await sendUntilFinal(gateway, request)];
  assertSame(answers);
  const [answer] = answers;
  assert.ok(answer !== undefined);
  assert.deepEqual([answer.status, JSON.parse(answer.text).status], [200, "completed"]);
  const jobs = await gateway.get(customer.key, "/v1/job");
  assert.deepEqual([jobs.body.count, jobs.body.jobs[0].id], [1, JSON.parse(answer.text).id]);
  assert.deepEqual(await chargesOf(gateway, customer, "test"), [2_000_000n]);
});

test("C-09 a stream that its client left, and paid in part, is not done again: 409 answer_not_kept", async () => {
  upstream.script("m-chat", fake.ok({ tokens: 1_000, everyMs: 5 }));
  const customer = await gateway.customer();
  const body = { ...chatBody, stream: true };
  const request = { path: chatPath, body, customer, idempotencyKey: randomUUID() };
  const exchange = startRepeated(gateway, request);
  await eventually(() => exchange.deltas > 3, 10_000);
  exchange.leave("RST");
  await exchange.over;
  const again = await sendUntilFinal(gateway, request);
  assert.equal(again.code, "answer_not_kept");
  const { error } = JSON.parse(again.text);
  assert.equal(error.first_request_id, exchange.headers["x-request-id"]);
  const charges = await chargesOf(gateway, customer);
  assert.equal(charges.length, 1);
  const credits = /charged (\d+\.\d{6}) credits/.exec(error.message)?.[1] ?? "";
  assert.equal(BigInt(credits.replace(".", "")), charges[0]);
  upstream.clear();
});

test("C-09 a form sent again is one run and one charge; with one other byte in its file it is 422", async () => {
  const customer = await gateway.customer({ mode: "test" });
  const available = async () => (await gateway.get(customer.key, "/v1/balance")).body.available;
  const recording = new Uint8Array(wavOf({ ms: 3_000, rate: 8_000, seed: "a1b2c3d4e5f60718" }));
  const square = sharp({ create: { width: 64, height: 64, channels: 3, background: "teal" } });
  const picture = new Uint8Array(await square.png().toBuffer());
  for (const [path, members, name, bytes] of [
    ["/v1/audio/transcriptions", { model: "whisper-1" }, "file", recording],
    ["/v1/images/edits", { model: "gpt-image-2", prompt: "Snow" }, "image", picture],
    ["/v1/files", { purpose: "user_data" }, "file", recording],
  ] as const) {
    const idempotencyKey = randomUUID();
    const post = async (content: Uint8Array<ArrayBuffer>) => {
      const form = new FormData();
      for (const member of Object.entries(members)) form.set(...member);
      form.set(name, new File([content], name === "image" ? "a.png" : "talk.wav"));
      const headers = { authorization: `Bearer ${customer.key}`, "idempotency-key": idempotencyKey };
      const response = await fetch(gateway.url + path, { method: "POST", headers, body: form });
      return [response.status, await response.text()] as const;
    };
    const first = await post(bytes);
    assert.equal(first[0], 200, first[1]);
    const left = await available();
    assert.deepEqual(await post(bytes), first);
    const [status, text] = await post(bytes.with(-1, 7));
    assert.deepEqual([status, JSON.parse(text).error.code], [422, "idempotency_key_reused"], path);
    assert.equal(await available(), left, "charged once");
  }
});

test("C-09 the secret of a new key is shown once, and asking again makes no second key", async () => {
  const { accountId } = await gateway.customer();
  const make = () =>
    gateway.admin("POST", `/accounts/${accountId}/keys`, { mode: "live" }, { "idempotency-key": "a-key" });
  const first = await make();
  assert.equal(first.status, 201);
  const again = await make();
  assert.deepEqual([again.status, again.body.error.code], [409, "answer_not_kept"]);
  const keys = await gateway.admin("GET", `/accounts/${accountId}/keys`);
  assert.equal(keys.body.data.length, 2);
  const accounts = await Promise.all(
    [1, 2].map(() =>
      gateway.admin("POST", "/accounts", { name: "once" }, { "idempotency-key": "an-account" }),
    ),
  );
  // Which of them comes first, and whether it is done when the other comes, is a matter of microseconds.
  const made = accounts.filter(({ status }) => status === 201).map(({ body }) => body.id);
  assert.equal(new Set(made).size, 1);
  const refused = accounts.filter(({ status }) => status !== 201);
  for (const { status, body } of refused) assert.deepEqual([status, body.error.code], [409, "conflict"]);
});

/** Clients that send the same chat at random moments, leave, come back, and go on until they have a final answer. */
async function chaos(gateways: readonly Gateway[], random: () => number, stream: boolean): Promise<void> {
  const pick = (): Gateway => gateways[Math.floor(random() * gateways.length)] ?? gateway;
  const customer = await pick().customer();
  const marker = randomUUID();
  const body = { ...chatBody, messages: [{ role: "user", content: marker }], stream };
  const request: Repeated = { path: chatPath, body, customer, idempotencyKey: marker };
  const answers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, random() * 80));
      while (random() < 0.4) await leaveSoon(startRepeated(pick(), request), random);
      return sendUntilFinal(pick(), request);
    }),
  );
  const outcomes = new Set(answers.map(({ text, code }) => code ?? text));
  assert.equal(outcomes.size, 1, [...outcomes].join("\n"));
  await quietAudit(pick());
  assert.equal((await chargesOf(pick(), customer)).length, 1, [...outcomes].join());
}

async function leaveSoon(exchange: ChatExchange, random: () => number): Promise<void> {
  const patience = new Promise<"impatient">((resolve) => setTimeout(resolve, random() * 60, "impatient"));
  if ((await Promise.race([exchange.over, patience])) === undefined) return;
  exchange.leave(random() < 0.5 ? "FIN" : "RST");
  await exchange.over;
}

/** A provider that fails now and then, quickly or after part of the answer. */
function fickle(random: () => number): fake.Behaviour {
  const ways = [
    fake.ok({ everyMs: 2 }),
    fake.ok(),
    fake.ok({ afterMs: 40 }),
    fake.status(500),
    fake.resetBeforeFirstByte(),
    fake.resetAfter(3),
    fake.errorEventAfter(2),
  ];
  return (call) => (ways[Math.floor(random() * ways.length)] ?? fake.ok())(call);
}

test("C-09 duplicates at random moments, from clients that leave and a provider that fails: one charge, one answer", async () => {
  const random = seededRandom(31);
  upstream.script("m-chat", fickle(random));
  for (let round = 0; round < 12; round += 1) await chaos([gateway], random, round % 2 === 1);
  upstream.clear();
});

suite("C-09 two nodes on one database", () => {
  let postgres: TestPostgres | undefined;
  const nodes: Gateway[] = [];
  before(async () => {
    if ("skipped" in found) return;
    postgres = found;
    const databaseUrl = await postgres.freshDatabase();
    for (let node = 0; node < 2; node += 1)
      nodes.push(await startGatewayProcess({ p1: upstream.baseUrl, databaseUrl }));
  });
  after(async () => {
    for (const node of nodes) await endsClean(node);
  });

  test(
    "of twenty at once one is done; the others are 409 with Retry-After, and get its answer later",
    { skip },
    async () => {
      const [one, two] = nodes;
      assert.ok(one !== undefined && two !== undefined);
      upstream.script("m-chat", fake.ok({ afterMs: 400 }));
      const customer = await one.customer();
      const request = { path: chatPath, body: chatBody, customer, idempotencyKey: "twenty at once" };
      const asked = Array.from({ length: 20 }, (_, index) => send(index % 2 === 0 ? one : two, request));
      const answers = await Promise.all(asked);
      const first = answers.filter(({ status, isReplay }) => status === 200 && !isReplay);
      assert.equal(first.length, 1);
      const conflicts = answers.filter(({ code }) => code === "conflict");
      assert.ok(conflicts.length > 0);
      for (const { headers } of conflicts) assert.equal(headers.get("retry-after"), "1");
      assertSame([...first, await send(one, request), await send(two, request)]);
      assert.equal(upstream.calls("m-chat").length, 1);
      assert.equal((await chargesOf(one, customer)).length, 1);
      upstream.clear();
    },
  );

  test("duplicates at random moments on both: one charge, one answer", { skip }, async () => {
    const random = seededRandom(32);
    upstream.script("m-chat", fickle(random));
    for (let round = 0; round < 10; round += 1) await chaos(nodes, random, round % 2 === 1);
    upstream.clear();
  });

  test(
    "while the database is away a request is 503; one under way is charged once and its answer is kept",
    { skip },
    async (t) => {
      const [node] = nodes;
      assert.ok(node !== undefined && postgres !== undefined);
      if (!postgres.isOurs) return t.skip("the server is not ours to end");
      upstream.script("m-chat", fake.ok({ afterMs: 500 }));
      const customer = await node.customer();
      const [early, late] = ["early", "late"].map((idempotencyKey) => ({
        ...{ path: chatPath, body: chatBody, customer, idempotencyKey },
      }));
      assert.ok(early !== undefined && late !== undefined);
      const underWay = send(node, early);
      await eventually(() => upstream.calls("m-chat").length === 1, 10_000);
      await postgres.kill();
      assert.equal((await send(node, late)).code, "service_unavailable");
      await postgres.restart();
      const first = await underWay;
      assert.equal(first.status, 200);
      assertSame([first, await sendUntilFinal(node, early)]);
      assert.equal(upstream.calls("m-chat").length, 1);
      assert.equal((await sendUntilFinal(node, late)).status, 200);
      await quietAudit(node);
      assert.equal((await chargesOf(node, customer)).length, 2);
      upstream.clear();
    },
  );
});
