import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { systemClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import { silentLog } from "../core/log.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { admitted, enterMany, limiterBattery } from "./limiter-battery.ts";
import type { Limiter } from "./limits.ts";
import { memoryLimiter } from "./memory-limiter.ts";
import { redisLimiter } from "./redis-limiter.ts";
import { redisKeys } from "./redis-scripts.ts";

// A busy machine must not look like an outage, so answers have long time here.
const patient = { clock: systemClock, log: silentLog, answerWithinMs: 20_000 } as const;

const unlimited: Limiter = {
  enter: () => ({ allowed: true, ticket: { state: noState, leave() {}, withdraw() {} } }),
  peek: () => noState,
  stop: async () => {},
};
const noState = { limit: Infinity, remaining: Infinity, resetSeconds: 0 };

describe("limits in Redis", () => {
  let url: string | undefined;
  let skipped: string | undefined;
  let limiter: Limiter | undefined;
  /** Decides by Redis only; the count of this node, which could hide a fault of the scripts, is taken out. */
  let alone: Limiter | undefined;
  let stop = async (): Promise<void> => {};

  before(async () => {
    const server = await startRedis();
    if ("skipped" in server) skipped = server.skipped;
    else {
      url = server.url;
      stop = () => server.stop();
      limiter = redisLimiter({ ...patient, url, fallback: memoryLimiter(systemClock) });
      alone = redisLimiter({ ...patient, url, fallback: unlimited });
    }
  });
  after(async () => {
    await limiter?.stop();
    await alone?.stop();
    await stop();
  });

  function address(context: TestContext): string | undefined {
    if (url === undefined) context.skip(`skipped: ${skipped}`);
    return url;
  }

  for (const { name, holds } of limiterBattery) {
    test(name, async (context) => {
      if (address(context) === undefined || limiter === undefined) return;
      await holds({ limiter, turn: undefined });
    });

    test(`${name}, by the scripts alone`, async (context) => {
      if (address(context) === undefined || alone === undefined) return;
      await holds({ limiter: alone, turn: undefined });
    });
  }

  test("a call is refused for the whole window and admitted after it", async (context) => {
    const at = address(context);
    if (at === undefined) return;
    const windowMs = 1500;
    const own = redisLimiter({
      ...patient,
      url: at,
      windowMs,
      fallback: memoryLimiter(systemClock, windowMs),
    });
    context.after(() => own.stop());
    const limits = { requestsPerMinute: 3, concurrentRequests: 100 };
    const keyId = newId("key");
    const asked = performance.now();
    assert.equal((await enterMany(own, { keyId, limits, calls: 3 })).tickets.length, 3);
    const answered = performance.now();
    await until(async () => {
      const sent = performance.now();
      const answer = await own.enter(keyId, limits);
      // 50 ms for two clocks that need not agree to the millisecond.
      if (answer.allowed) assert.ok(performance.now() - asked > windowMs - 50);
      else assert.ok(sent - answered < windowMs + 50);
      return answer.allowed;
    });
  });

  test("L-01 two processes together admit exactly 10 of 100", async (context) => {
    const at = address(context);
    if (at === undefined) return;
    const settings = { url: at, keyId: newId("key"), requestsPerMinute: 10, concurrentRequests: 500 };
    const nodes = await Promise.all([startNode(context, settings), startNode(context, settings)]);
    const counts = await Promise.all(nodes.map((node) => node.enter(50)));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      10,
    );
  });

  test("L-06 places of a living node last, those of a killed one are free when its leases end", async (context) => {
    const at = address(context);
    if (at === undefined || limiter === undefined) return;
    const here = limiter;
    const leaseMs = 2000;
    const limits = { requestsPerMinute: 1_000_000, concurrentRequests: 2 };
    const keyId = newId("key");
    const node = await startNode(context, { url: at, keyId, ...limits, leaseMs });
    assert.equal(await node.enter(5), 2);
    const held = performance.now();
    await until(async () => {
      assert.equal((await here.enter(keyId, limits)).allowed, false);
      return performance.now() - held > leaseMs + 500;
    });
    await node.kill();
    const killed = performance.now();
    assert.equal((await here.enter(keyId, limits)).allowed, false);
    await until(async () => (await here.enter(keyId, limits)).allowed);
    assert.ok(performance.now() - killed < leaseMs + 1000);
    await admitted(here, keyId, limits);
    assert.equal((await here.enter(keyId, limits)).allowed, false);
  });

  test("a call that leaves after its lease ended does no harm", async (context) => {
    const at = address(context);
    if (at === undefined || limiter === undefined) return;
    const limits = { requestsPerMinute: 10, concurrentRequests: 1 };
    const keyId = newId("key");
    const other = redisLimiter({ ...patient, url: at, fallback: memoryLimiter(systemClock) });
    const admin = new Redis(at);
    context.after(async () => {
      admin.disconnect();
      await other.stop();
    });
    const late = await admitted(other, keyId, limits);
    assert.equal((await limiter.enter(keyId, limits)).allowed, false);
    assert.equal(await admin.zremrangebyscore(redisKeys(keyId).open, "-inf", "+inf"), 1);
    const next = await admitted(limiter, keyId, limits);
    late.leave();
    late.leave();
    assert.equal((await limiter.enter(keyId, limits)).allowed, false);
    next.leave();
    await admitted(limiter, keyId, limits);
  });
});

type NodeSettings = {
  readonly url: string;
  readonly keyId: string;
  readonly requestsPerMinute: number;
  readonly concurrentRequests: number;
  readonly leaseMs?: number;
};

async function startNode(context: TestContext, settings: NodeSettings) {
  const { url, keyId, requestsPerMinute, concurrentRequests, leaseMs = 15_000 } = settings;
  const script = fileURLToPath(new URL("./redis-node.test-process.ts", import.meta.url));
  const values = [url, keyId, requestsPerMinute, concurrentRequests, leaseMs].map(String);
  const child = spawn(process.execPath, [script, ...values], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  context.after(kill);
  assert.equal((await lines.next()).value, "ready");
  const enter = async (calls: number): Promise<number> => {
    child.stdin.write(`${calls}\n`);
    return Number((await lines.next()).value);
  };
  return { enter, kill };
}

/** Asks again and again, for at most 20 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, "it did not happen in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
