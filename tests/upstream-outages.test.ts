import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { endsClean } from "./support/clean-end.ts";
import { ok, status } from "./support/fake-behaviours.ts";
import type { Behaviour } from "./support/fake-behaviours.ts";
import type { FakeCall } from "./support/fake-call.ts";
import { jobCatalog, startFakeJobs } from "./support/fake-jobs.ts";
import type { FakeJobs } from "./support/fake-jobs.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { receiptOf } from "./support/receipts.ts";
import { hello, stream } from "./support/stream-reader.ts";

/** How long a provider that failed is left alone when it does not say. */
const restMs = 5_000;

let p1: FakeUpstream;
let p2: FakeUpstream;
let jobs: FakeJobs;
let gateway: Gateway;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  jobs = await startFakeJobs();
  const providers = ["x429", "x500", "x502", "x503", "x529", "x401", "x400", "storm"];
  gateway = await startGateway({
    p1: p1.baseUrl,
    p2: p2.baseUrl,
    a1: p1.origin,
    moreFiles: jobCatalog,
    environment: { R1_API_KEY: "secret-r1", R1_BASE_URL: jobs.url },
    moreProviders: Object.fromEntries(providers.map((id) => [id, p1.baseUrl])),
  });
  customer = await gateway.customer({ credits: "100000.00" });
  // The first call of a process is slower than all others.
  await stream(gateway, customer.key, { model: "m-chat" });
});
after(async () => {
  await endsClean(gateway, p1, p2, jobs);
});

type Answered = {
  readonly status: number;
  readonly tookMs: number;
  readonly headers: Headers;
  readonly text: string;
};

async function ask(model: string, isStream: boolean, key = customer.key): Promise<Answered> {
  const startedAt = performance.now();
  const response = await gateway.chat(key, { ...hello, model, stream: isStream });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, tookMs: performance.now() - startedAt };
}

/** `count` calls at once, every second one streamed. */
function wave(model: string, count: number): Promise<readonly Answered[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => ask(model, index % 2 === 0)));
}

describe("one provider fails", { concurrency: 16 }, () => {
  for (const [code, asksForSeconds] of [
    [429, 7],
    [500, undefined],
    [502, undefined],
    [503, undefined],
    [529, undefined],
    // Our own credential there is refused: not the customer's doing, and another provider may serve.
    [401, undefined],
  ] as const) {
    const model = `m-x${code}-two`;
    test(`U-04 a provider that answers ${code} costs no client anything, is left alone, and comes back`, async () => {
      const restsMs = asksForSeconds === undefined ? restMs : asksForSeconds * 1_000;
      p1.script(
        model,
        status(code, asksForSeconds === undefined ? {} : { "retry-after": String(asksForSeconds) }),
      );
      p2.script(model, ok({ tokens: 3 }));
      const failedAt = performance.now();
      const answers = [...(await wave(model, 8))];
      const failed = p1.calls(model).length;
      assert.ok(failed >= 1 && failed <= 8, "each call asks a provider once");
      while (performance.now() - failedAt < restsMs - 1_500) {
        answers.push(...(await wave(model, 8)));
        // However busy the machine is, enough of them come while it rests.
        if (answers.length >= 8 * 8) await pause(250);
      }
      assert.ok(
        answers.every(({ status: answered }) => answered === 200),
        "every client is served",
      );
      assert.equal(p1.calls(model).length, failed, "nobody asks while it rests");
      assert.equal(p2.calls(model).length, answers.length);
      assert.ok(answers.length >= 8 * 8, `${answers.length} calls`);
      if (isWholePlan) await assertRarelyAsked(model, failedAt);

      p1.script(model, ok({ tokens: 3 }));
      await pause(restsMs + 700 - (performance.now() - (p1.calls(model).at(-1)?.startedAt ?? failedAt)));
      const known = p1.calls(model).length;
      const later = await wave(model, 8);
      assert.ok(later.every(({ status: answered }) => answered === 200));
      assert.ok(p1.calls(model).length - known >= 4, "at least half of its share is back");
    });
  }

  test("U-04 a request that a provider refuses as invalid goes to no other, and tells nothing of it", async () => {
    const told = {
      error: { message: "foreign words", type: "invalid_request_error", param: "messages", code: null },
    };
    p1.script("m-x400-two", status(400, {}, told));
    for (const isStream of [true, false]) {
      const seen = await ask("m-x400-two", isStream);
      assert.equal(seen.status, 400);
      const { error } = JSON.parse(seen.text);
      assert.deepEqual([error.code, error.param], ["upstream_rejected_request", "messages"]);
      assert.doesNotMatch(seen.text, /foreign/);
    }
    assert.equal(p2.calls("m-x400-two").length, 0);
    assert.equal(p1.calls("m-x400-two").length, 2, "such a refusal is no reason to rest");
  });

  test("U-04 m-claude: 529 of the only provider is 503 with Retry-After at no charge, and the next call asks again", async () => {
    const { key } = await gateway.customer();
    for (const isStream of [true, false]) {
      p1.script("m-claude", status(529));
      const seen = await ask("m-claude", isStream, key);
      assert.deepEqual([seen.status, JSON.parse(seen.text).error.code], [503, "upstream_unavailable"]);
      assert.match(seen.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
      const receipt = await receiptOf(gateway, key, seen.headers.get("x-request-id"));
      assert.deepEqual([receipt.credits, receipt.ending], ["0.000000", "failed"]);
      p1.script("m-claude", ok());
      assert.equal((await ask("m-claude", isStream)).status, 200);
    }
  });
});

/** From ten seconds after the first failure on, of a steady flow of calls. */
async function assertRarelyAsked(model: string, failedAt: number): Promise<void> {
  await pause(10_000 - (performance.now() - failedAt));
  const known = p1.calls(model).length;
  const answers: Promise<Answered>[] = [];
  for (const startedAt = performance.now(); performance.now() - startedAt < 15_000; await pause(40))
    answers.push(ask(model, answers.length % 2 === 0));
  for (const { status: answered } of await Promise.all(answers)) assert.equal(answered, 200);
  const asked = p1.calls(model).length - known;
  assert.ok(asked <= answers.length * 0.05, `${asked} of ${answers.length} calls`);
}

test("U-05 when every provider fails there is no storm of retries, and recovery is at once", async () => {
  const model = "m-storm-two";
  const perSecond = planned({ whole: 200, quick: 60 });
  const seconds = planned({ whole: 60, quick: 4 });
  for (const upstream of [p1, p2]) upstream.script(model, status(503));
  const startedAt = performance.now();
  const asked: Promise<Answered>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    asked.push(ask(model, index % 2 === 0));
    await pause(Math.max(1, startedAt + ((index + 1) * 1_000) / perSecond - performance.now()));
  }
  const refused = await Promise.all(asked);
  for (const { status: answered, headers, tookMs } of refused) {
    assert.equal(answered, 503);
    assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  }
  const calls = [...p1.calls(model), ...p2.calls(model)];
  assert.ok(calls.length <= refused.length * 1.3, `${calls.length} upstream calls of ${refused.length}`);
  const buckets = Map.groupBy(calls, (call) => Math.floor((call.startedAt - startedAt) / 1_000));
  const largest = Math.max(...Array.from(buckets.values(), (bucket) => bucket.length));
  assert.ok(largest <= 2 * (calls.length / seconds), `${largest} in one second`);

  for (const upstream of [p1, p2]) upstream.script(model, ok({ tokens: 2 }));
  const after = await wave(model, 50);
  assert.ok(after.every(({ status: answered }) => answered === 200));
});

test("U-11 a provider that closes idle connections at any moment costs no client anything, and no call is made twice", async () => {
  const model = "m-free";
  p1.script(model, isWholePlan ? closesSoon() : ok({ tokens: 3 }));
  const [known, opened] = [p1.calls(model).length, p1.opened()];
  const waves = planned({ whole: 1_000, quick: 60 });
  const failed: string[] = [];
  let count = 0;
  const note = (answers: readonly Answered[]): void => {
    count += answers.length;
    for (const { status: code, text } of answers) if (code !== 200) failed.push(text);
  };
  for (let round = 0; round < waves; round += 1) {
    const closing = isWholePlan ? undefined : pause(Math.random() * 4).then(() => p1.closeIdle());
    const [answers] = await Promise.all([wave(model, 8), closing]);
    note(answers);
  }
  for (let call = 0; call < planned({ whole: 10_000, quick: 0 }); call += 1)
    note([await ask(model, call % 2 === 0)]);
  assert.ok(failed.length <= count * 0.0001, failed.join("\n"));
  assert.equal(p1.calls(model).length - known, count - failed.length);
  const closed = planned({ whole: 200, quick: waves });
  assert.ok(p1.opened() - opened > closed, "connections were closed between the calls");
});

/** A proper answer, whose connection closes at some moment of the next 200 ms unless it is used again by then. */
function closesSoon(): Behaviour {
  const latest = new WeakMap<FakeCall["socket"], FakeCall>();
  return async (call) => {
    latest.set(call.socket, call);
    await ok({ tokens: 3 })(call);
    setTimeout(() => {
      if (latest.get(call.socket) === call) call.socket.destroy();
    }, Math.random() * 200);
  };
}

test("U-11 nor is a run that acts on the world done twice", async () => {
  const count = planned({ whole: 2_000, quick: 60 });
  const known = jobs.submissions.length;
  const failed: string[] = [];
  for (let call = 0; call < count; call += 1) {
    const response = await fetch(`${gateway.url}/v1/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "m-mail", inputs: {} }),
    });
    const text = await response.text();
    if (response.status !== 200) failed.push(text);
    void pause(Math.random() * planned({ whole: 200, quick: 20 })).then(() => jobs.closeIdle());
  }
  const runs = jobs.submissions.slice(known).map(({ run }) => run);
  assert.equal(new Set(runs).size, runs.length, "each was submitted once");
  assert.ok(failed.length <= count * 0.0001, failed.join("\n"));
});
