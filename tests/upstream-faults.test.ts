import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import {
  hangBeforeHeaders,
  headersThenSilence,
  ok,
  resetAfter,
  resetBeforeFirstByte,
  sequence,
  slowloris,
  tokensThenSilence,
} from "./support/fake-behaviours.ts";
import { deadBaseUrl, eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { residentBytes } from "./support/process-usage.ts";
import { receiptOf } from "./support/receipts.ts";
import { hello, stream } from "./support/stream-reader.ts";

const connectMs = planned({ whole: 1_000, quick: 500 });
const firstByteMs = planned({ whole: 3_000, quick: 900 });
const idleMs = planned({ whole: 3_000, quick: 900 });
const totalMs = planned({ whole: 30_000, quick: 3_000 });
/** Beyond the plan's bounds, while other files of tests run. */
const slackMs = planned({ whole: 0, quick: 1_000 });

let p1: FakeUpstream;
let p2: FakeUpstream;
let stuck: Stuck;
let gateway: GatewayProcess;
let customer: Customer;
before(async () => {
  p1 = await startFakeUpstream();
  p2 = await startFakeUpstream();
  stuck = await stuckServer();
  gateway = await startGatewayProcess({
    p1: p1.baseUrl,
    p2: p2.baseUrl,
    a1: p1.origin,
    environment: {
      SKILLBOSS_CONNECT_TIMEOUT_MS: String(connectMs),
      SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: String(firstByteMs),
      SKILLBOSS_IDLE_TIMEOUT_MS: String(idleMs),
      SKILLBOSS_CALL_TIMEOUT_MS: String(totalMs),
    },
    moreProviders: {
      dead: await deadBaseUrl(),
      nameless: "http://provider.invalid/v1",
      // TLS is spoken to a server that does not.
      plain: p1.baseUrl.replace("http:", "https:"),
      stuck: `http://127.0.0.1:${stuck.port}/v1`,
      s1: p1.baseUrl,
      s2: p1.baseUrl,
      s3: p1.baseUrl,
      s4: p1.baseUrl,
    },
  });
  customer = await gateway.customer({ credits: "100000.00" });
  // The first call of a process is slower than all others.
  await stream(gateway, customer.key, { model: "m-chat" });
});
after(async () => {
  try {
    await endsClean(gateway);
  } finally {
    stuck.stop();
    await Promise.all([p1.stop(), p2.stop()]);
  }
});

type Stuck = { readonly port: number; stop(): void };

/** A process that listens and then is stopped, with a full backlog: the system lets further connections wait. */
async function stuckServer(): Promise<Stuck> {
  const listen = "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1}";
  const script = `${listen},function(){console.log(this.address().port)})`;
  const child: ChildProcess = spawn(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  assert.ok(child.stdout);
  const [line] = await once(child.stdout, "data");
  const port = Number(String(line));
  child.kill("SIGSTOP");
  const sockets = Array.from({ length: 8 }, () => {
    const socket = net.connect(port, "127.0.0.1");
    return socket.on("error", () => undefined);
  });
  return {
    port,
    stop() {
      for (const socket of sockets) socket.destroy();
      child.kill("SIGKILL");
    },
  };
}

/** What a client got, whole or streamed, in the same words. */
type Seen = {
  readonly status: number;
  readonly content: string;
  readonly code: string | undefined;
  readonly text: string;
  readonly retryAfter: string | null;
  readonly requestId: string | null;
  readonly tookMs: number;
};

async function ask(model: string, isStream: boolean, key = customer.key): Promise<Seen> {
  const startedAt = performance.now();
  if (isStream) {
    const { headers, content, error, text, status: code } = await stream(gateway, key, { model });
    return {
      ...seenOf(headers, text),
      status: code,
      content,
      code: error?.code,
      tookMs: performance.now() - startedAt,
    };
  }
  const response = await gateway.chat(key, { ...hello, model });
  const text = await response.text();
  const json = JSON.parse(text);
  return {
    ...seenOf(response.headers, text),
    status: response.status,
    content: json.choices?.[0].message.content ?? "",
    code: json.error?.code,
    tookMs: performance.now() - startedAt,
  };
}

function seenOf(headers: Headers, text: string): Pick<Seen, "text" | "retryAfter" | "requestId"> {
  return { text, retryAfter: headers.get("retry-after"), requestId: headers.get("x-request-id") };
}

const forms = [
  ["streamed", true],
  ["whole", false],
] as const;

for (const [form, isStream] of forms) {
  for (const [name, fault] of [
    ["dead", "refuses connections"],
    ["nameless", "has no address"],
    ["plain", "does not speak TLS"],
  ] as const) {
    test(`U-01 ${form}: a provider that ${fault} is passed over at once`, async () => {
      p2.script(`m-${name}-two`, ok({ tokens: 3 }));
      const seen = await ask(`m-${name}-two`, isStream);
      assert.deepEqual([seen.status, seen.content], [200, "tok tok tok "]);
      assert.ok(seen.tookMs < 2_000 + slackMs);
      assert.equal((await receiptOf(gateway, customer.key, seen.requestId)).served_by, `p2/m-${name}-two`);
    });

    test(`U-01 ${form}: when the only provider ${fault}, that is a 502 at no charge that names the model and no address`, async () => {
      const seen = await ask(`m-${name}`, isStream);
      assert.deepEqual([seen.status, seen.code], [502, "upstream_error"]);
      assert.ok(seen.tookMs < 2_000 + slackMs);
      assert.match(seen.text, new RegExp(`The provider of m-${name} `));
      assert.doesNotMatch(
        seen.text,
        /127\.0\.0\.1|localhost|invalid\/|provider\.invalid|ECONN|ENOTFOUND|:\d{4,5}/,
      );
      const receipt = await receiptOf(gateway, customer.key, seen.requestId);
      assert.deepEqual([receipt.credits, receipt.ending], ["0.000000", "failed"]);
    });
  }
}

describe("silent providers", { concurrency: 16 }, () => {
  // A model of its own for each case: the cases run side by side.
  for (const [model, form, isStream] of [
    ["m-s1", "streamed", true],
    ["m-two", "whole", false],
    ["m-claude", "streamed", true],
  ] as const) {
    const upstreams = model === "m-two" ? 2 : 1;
    test(`U-02 ${model}, ${form}: silence after accepting ends with 504 in the first byte's time`, async () => {
      for (const upstream of [p1, p2]) upstream.script(model, hangBeforeHeaders());
      await assertTimesOut(model, isStream, firstByteMs * upstreams);

      // Headers alone are no first byte. By now all providers rest, and then only the first is asked.
      for (const upstream of [p1, p2]) upstream.script(model, headersThenSilence());
      await assertTimesOut(model, isStream, firstByteMs);
    });
  }

  test("U-02 whole: silence in the middle of an answer ends with 504", async () => {
    p1.script("m-s2", tokensThenSilence(5));
    await assertTimesOut("m-s2", false, idleMs);
  });

  test("U-02 streamed: silence after tokens ends the stream with an error event at no charge", async () => {
    p1.script("m-s4", tokensThenSilence(5));
    const own = await oneAtATime();
    const seen = await ask("m-s4", true, own.key);
    assert.deepEqual([seen.status, seen.content, seen.code], [200, "tok ".repeat(5), "upstream_timeout"]);
    assert.ok(seen.tookMs >= idleMs * 0.9 && seen.tookMs < idleMs * 1.1 + slackMs, `${seen.tookMs} ms`);
    const receipt = await receiptOf(gateway, own.key, seen.requestId);
    assert.deepEqual(
      [receipt.credits, receipt.ending, receipt.reason],
      ["0.000000", "failed", "upstream_timeout"],
    );
    await eventually(() => p1.calls("m-s4").every(({ closedByClientAt }) => closedByClientAt !== undefined));
    await assertPlaceIsFree(own);
  });

  for (const [form, isStream] of forms) {
    test(`U-02 ${form}: a server that does not accept ends with 504 in the time to connect`, async () => {
      await assertTimesOut("m-stuck", isStream, connectMs);
    });
  }
});

async function assertTimesOut(model: string, isStream: boolean, withinMs: number): Promise<void> {
  const own = await oneAtATime();
  const seen = await ask(model, isStream, own.key);
  assert.deepEqual([seen.status, seen.code], [504, "upstream_timeout"]);
  assert.ok(seen.tookMs >= withinMs * 0.9 && seen.tookMs < withinMs * 1.1 + slackMs, `${seen.tookMs} ms`);
  const receipt = await receiptOf(gateway, own.key, seen.requestId);
  assert.deepEqual([receipt.credits, receipt.ending], ["0.000000", "failed"]);
  await eventually(() => p1.calls(model).every(({ closedByClientAt }) => closedByClientAt !== undefined));
  await assertPlaceIsFree(own);
}

const oneAtATime = (): Promise<Customer> => gateway.customer({ concurrent: 1 });

async function assertPlaceIsFree({ key }: Customer): Promise<void> {
  assert.equal((await ask("m-free", false, key)).status, 200);
}

test("U-03 providers that drip bytes for ever are ended by the total time and slow nobody down", async () => {
  const connections = planned({ whole: 200, quick: 60 });
  p1.script("m-s3", slowloris(planned({ whole: 2_000, quick: 200 })));
  p1.script("m-chat", ok({ tokens: 3 }));
  const baseline = await timeOfOthers();
  const residentBefore = residentBytes(gateway);
  const slow = Array.from({ length: connections }, () => ask("m-s3", true));
  await eventually(() => p1.open() >= connections, 2_500);
  const during = await timeOfOthers();
  const grownBytes = residentBytes(gateway) - residentBefore;
  assert.ok(p1.open() >= connections, "all of them drip still");
  // A client that waits for long is kept company by comments, and they begin with the 200 of a stream.
  const answeredWith = planned({ whole: 200, quick: 504 });
  for (const seen of await Promise.all(slow)) {
    assert.deepEqual([seen.status, seen.code, seen.content], [answeredWith, "upstream_timeout", ""]);
    assert.ok(seen.tookMs >= totalMs * 0.9 && seen.tookMs < totalMs * 1.1 + slackMs, `${seen.tookMs} ms`);
  }
  await eventually(() => p1.open() === 0);
  assert.ok(grownBytes < connections * 1e6, `grew by ${grownBytes} bytes`);
  const atMost = isWholePlan ? baseline * 2 : Math.max(baseline * 2, baseline + 50);
  assert.ok(during < atMost, `${baseline} ms → ${during} ms`);
});

/** The plan's 99 of 100; of the few calls of `npm test` half. */
async function timeOfOthers(): Promise<number> {
  const [count, share] = [planned({ whole: 500, quick: 15 }), planned({ whole: 0.99, quick: 0.5 })];
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) times.push((await ask("m-chat", true)).tookMs);
  return times.toSorted((a, b) => a - b)[Math.floor(count * share)] ?? Infinity;
}

test("U-06 a reset before the first byte is tried once more on the same provider, unseen by the client", async () => {
  for (const [model, isStream] of [
    ["m-chat", true],
    ["m-chat", false],
    ["m-claude", true],
    ["m-claude", false],
  ] as const) {
    // A provider that rests is not tried twice.
    p1.script(model, ok());
    assert.equal((await ask(model, isStream)).status, 200);
    const earlier = p1.calls(model).length;
    p1.script(model, sequence([resetBeforeFirstByte(), ok({ tokens: 3 })]));
    const seen = await ask(model, isStream);
    assert.deepEqual([seen.status, seen.content, seen.code], [200, "tok tok tok ", undefined]);
    assert.equal(p1.calls(model).length - earlier, 2);
    const receipt = await receiptOf(gateway, customer.key, seen.requestId);
    assert.deepEqual([receipt.credits, receipt.ending], ["0.000280", "done"]);
  }
});

for (const [form, isStream] of forms) {
  test(`U-06 ${form}: a provider that resets twice before the first byte hands over to the next`, async () => {
    const model = isStream ? "m-s1-two" : "m-s2-two";
    p1.script(model, resetBeforeFirstByte());
    p2.script(model, ok({ tokens: 3 }));
    const seen = await ask(model, isStream);
    assert.deepEqual([seen.status, seen.content], [200, "tok tok tok "]);
    assert.deepEqual([p1.calls(model).length, p2.calls(model).length], [2, 1]);
  });
}

test("U-06 after the first byte nobody else is asked, and no text comes twice", async () => {
  p1.script("m-s3-two", resetAfter(4));
  const seen = await ask("m-s3-two", true);
  assert.deepEqual([seen.status, seen.content, seen.code], [200, "tok ".repeat(4), "upstream_error"]);
  assert.deepEqual([p1.calls("m-s3-two").length, p2.calls("m-s3-two").length], [1, 0]);
});
