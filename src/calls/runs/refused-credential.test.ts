import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { TurnableClock } from "../../core/clock.ts";
import { silentLog } from "../../core/log.ts";
import { endpoint, wireOf } from "../../providers/declared/run-under-test.ts";
import { createUpstream } from "../../providers/upstream.ts";
import type { ProviderLine } from "./ask-provider.ts";
import type { DrivenRun, ServedOffer } from "./driven-run.ts";
import { followRun } from "./follow-run.ts";
import type { RunHouse } from "./run-house.ts";
import type { RunRow } from "./run-store.ts";
import { storeOutput } from "./store-output.ts";

/** What the provider answers in turn; from its last on always that. */
let statuses: readonly number[] = [];
let asked: string[] = [];
const server = createServer(({ url = "" }, response) => {
  const status = statuses[Math.min(asked.length, statuses.length - 1)] ?? 200;
  asked.push(url);
  response.writeHead(status, { "content-type": "application/json" }).end('{"status":"done","text":"hello"}');
});
const clock = new TurnableClock();
const upstream = createUpstream({ log: silentLog, clock });
let baseUrl = "";
let waits: number[] = [];
let logged: unknown[] = [];

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  await upstream.stop();
  server.close();
});
beforeEach(() => {
  [asked, waits, logged] = [[], [], []];
});

const wire = wireOf(
  endpoint({
    request: { path: "/jobs" },
    polling: { poll: { path: "/jobs/1" } },
    fetches: [{ as: "result", path: "/results/1" }],
    output: { text: "$.result.text" },
  }),
);

function lineTo(): ProviderLine {
  const connection = { baseUrl, credential: { header: "authorization", value: "Bearer old" } };
  const line = { wire, connection, headers: {}, trustedHosts: [], env: {}, isRepeatable: false };
  return { ...line, patienceMs: 600_000 } as unknown as ProviderLine;
}

function parts(mode: RunRow["mode"]): readonly [DrivenRun, RunHouse] {
  const row = { id: "run_1", mode, plan: "pro", created_at: new Date(clock.now()), inputs: {} };
  const run = {
    row,
    stopped: new AbortController().signal,
    made: [],
    wait: (ms: number) => {
      waits.push(ms);
      clock.turn({ milliseconds: ms });
      return Promise.resolve();
    },
  };
  const house = {
    upstream,
    clock,
    log: { ...silentLog, error: (fields: object) => logged.push(fields) },
    newsUrlOf: () => undefined,
    store: { change: () => Promise.resolve(true) },
    files: {
      store: async ({ body }: { readonly body: AsyncIterable<Buffer> }) => {
        for await (const _ of body) continue;
        return { id: "file_1" };
      },
      urlOf: () => "ours",
    },
  };
  return [run as unknown as DrivenRun, house as unknown as RunHouse];
}

async function followed(mode: RunRow["mode"], phase: "poll" | "fetch") {
  const [run, house] = parts(mode);
  const memory = { phase, submit: {}, ...(phase === "fetch" ? { fetch: 0 } : {}) } as const;
  const context = { inputs: {}, env: {}, run: { id: "run_1", webhookUrl: undefined } };
  const ask = wire.again(context, memory);
  assert.ok(ask !== undefined);
  const step = { state: "ask", ask, memory, afterMs: 0, progress: undefined } as const;
  return followRun(run, house, { line: lineTo(), step });
}

const hourMs = 3_600_000;
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

test("a provider that refuses our credential while it is asked for a result is asked again for hours, less and less often", async () => {
  for (const phase of ["poll", "fetch"] as const) {
    [asked, waits, logged] = [[], [], []];
    statuses = [...Array<number>(25).fill(401), 403, 402, 200];
    const end = await followed("live", phase);
    assert.ok(typeof end === "object" && "done" in end, JSON.stringify(end));
    assert.deepEqual(end.done.output, { text: "hello" });
    assert.deepEqual(
      waits.slice(1, 11),
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map((s) => s * 1_000),
    );
    assert.deepEqual(
      [logged.length, logged[0], JSON.stringify(logged).includes("Bearer")],
      [27, { run_id: "run_1", model: undefined, provider: baseUrl, status: 401 }, false],
    );
  }
});

test("a result that is refused to us for six hours is given up, and at once where the sandbox refuses it", async () => {
  statuses = [401];
  const end = await followed("live", "fetch");
  assert.ok(typeof end === "object" && "problem" in end);
  assert.equal(end.problem.code, "upstream_unavailable");
  assert.ok(sum(waits) > 6 * hourMs && sum(waits) < 7 * hourMs, `${sum(waits)}`);
  [asked, logged] = [[], []];
  const played = await followed("test", "fetch");
  assert.ok(typeof played === "object" && "problem" in played);
  assert.deepEqual(logged, []);
});

test("a result's file that is refused to us is asked for again, but not where our credential never went", async () => {
  statuses = [401, 403, 403, 403, 403, 200];
  const [run, house] = parts("live");
  const offer = { line: lineTo() } as unknown as ServedOffer;
  const output = { document: { $file: { url: `${baseUrl}/files/1` } } };
  assert.deepEqual(await storeOutput(run, house, { output, offer }), { document: "ours" });
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000]);
  const guarded = { stream: () => Promise.resolve({ status: 403, headers: {}, body: [] }) };
  const elsewhere = { document: { $file: { url: "https://cdn.example.com/1" } } };
  waits = [];
  await assert.rejects(
    storeOutput(
      run,
      { ...house, egress: guarded as unknown as RunHouse["egress"] },
      { output: elsewhere, offer },
    ),
    { code: "upstream_error" },
  );
  assert.equal(waits.length, 2);
});
