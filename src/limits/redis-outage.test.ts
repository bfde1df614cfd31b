import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { Redis } from "ioredis";
import { systemClock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import { type RedisServer, startRedis } from "../../tests/support/redis.ts";
import { admitted, enterMany } from "./limiter-battery.ts";
import type { Limiter } from "./limits.ts";
import { memoryLimiter } from "./memory-limiter.ts";
import { redisLimiter } from "./redis-limiter.ts";
import { redisKeys } from "./redis-scripts.ts";

const away = "Redis is away; limits are decided locally";
const back = "Redis is back";

describe("limits while Redis is away", () => {
  test("D-02 the minute is kept through an outage and the return, and the outage is told once", async (context) => {
    const redis = await privateRedis(context);
    if (redis === undefined) return;
    const { limiter, lines } = openLimiter(context, redis.url);
    const limits = { requestsPerMinute: 10, concurrentRequests: 100 };
    const keyId = newId("key");
    assert.equal((await enterMany(limiter, { keyId, limits, calls: 4 })).tickets.length, 4);

    await redis.kill();
    assert.equal((await enterMany(limiter, { keyId, limits, calls: 50 })).tickets.length, 6);
    assert.equal((await limiter.peek(keyId, limits)).remaining, 0);
    assert.equal((await enterMany(limiter, { keyId: newId("key"), limits, calls: 50 })).tickets.length, 10);
    assert.deepEqual(lines, [away]);

    await redis.restart();
    await until(() => lines.includes(back));
    assert.deepEqual(lines, [away, back]);
    const answer = await limiter.enter(keyId, limits);
    assert.equal(answer.allowed ? "allowed" : answer.reason, "rate");
    const other = openLimiter(context, redis.url).limiter;
    const shared = newId("key");
    await admitted(limiter, shared, limits);
    assert.equal((await other.peek(shared, limits)).remaining, 9);
  });

  test("D-02 calls that were open during the outage hold their places in Redis after it", async (context) => {
    const redis = await privateRedis(context);
    if (redis === undefined) return;
    const { limiter, lines } = openLimiter(context, redis.url);
    const limits = { requestsPerMinute: 100, concurrentRequests: 2 };
    const keyId = newId("key");
    const first = await admitted(limiter, keyId, limits);
    await redis.kill();
    await admitted(limiter, keyId, limits);
    assert.equal((await limiter.enter(keyId, limits)).allowed, false);
    await redis.restart();
    await until(() => lines.includes(back));
    const other = openLimiter(context, redis.url).limiter;
    assert.equal((await other.enter(keyId, limits)).allowed, false);
    first.leave();
    await until(async () => (await other.enter(keyId, limits)).allowed);
  });

  test("D-02 three nodes without Redis admit together at most twice the limit", async (context) => {
    const redis = await privateRedis(context);
    if (redis === undefined) return;
    const nodes = [1, 2, 3].map(() => openLimiter(context, redis.url, { leaseMs: 600 }));
    const limits = { requestsPerMinute: 12, concurrentRequests: 500 };
    const keyId = newId("key");
    const [first] = nodes;
    assert.ok(first !== undefined);
    assert.equal((await enterMany(first.limiter, { keyId, limits, calls: 30 })).tickets.length, 12);
    await allNodesKnown(redis.url, nodes.length);
    await redis.kill();
    let more = 0;
    for (const { limiter } of nodes)
      more += (await enterMany(limiter, { keyId, limits, calls: 30 })).tickets.length;
    assert.equal(more, 8);
  });

  test("D-02 a node that starts without Redis decides locally and finds it later", async (context) => {
    const redis = await privateRedis(context);
    if (redis === undefined) return;
    await redis.kill();
    const { limiter, lines } = openLimiter(context, redis.url);
    const limits = { requestsPerMinute: 10, concurrentRequests: 100 };
    assert.equal((await enterMany(limiter, { keyId: newId("key"), limits, calls: 50 })).tickets.length, 10);
    assert.deepEqual(lines, [away]);
    await redis.restart();
    await until(() => lines.includes(back));
  });

  test("after a failover limits are shared on the new primary: the old one keeps its connections, as a replica", async (context) => {
    const [old, next] = [await privateRedis(context), await privateRedis(context)];
    if (old === undefined || next === undefined) return;
    const address = await movableAddress(context, old);
    const { limiter, lines } = openLimiter(context, address.url, { leaseMs: 300 });
    const limits = { requestsPerMinute: 10, concurrentRequests: 100 };
    await admitted(limiter, newId("key"), limits);
    const [oldOne, nextOne] = [new Redis(old.url), new Redis(next.url)];
    context.after(() => [oldOne, nextOne].forEach((redis) => redis.disconnect()));

    await oldOne.replicaof("127.0.0.1", new URL(next.url).port);
    await until(() => lines.includes(away));
    address.pointTo(next);
    await until(() => lines.includes(back));
    assert.deepEqual(lines, [away, back]);
    const keyId = newId("key");
    await admitted(limiter, keyId, limits);
    assert.equal(await nextOne.llen(redisKeys(keyId).minute), 1);
  });

  test("a replica is asked at most once a second whether it is still one", async (context) => {
    const [replica, primary] = [await privateRedis(context), await privateRedis(context)];
    if (replica === undefined || primary === undefined) return;
    const admin = new Redis(replica.url);
    context.after(() => admin.disconnect());
    await admin.replicaof("127.0.0.1", new URL(primary.url).port);
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await admin.info("stats"))?.[1]);
    const { limiter, lines } = openLimiter(context, replica.url);
    await admitted(limiter, newId("key"), { requestsPerMinute: 10, concurrentRequests: 100 });
    assert.deepEqual(lines, [away]);
    const [before, startedAt] = [await connections(), performance.now()];
    await until(async () => (await connections()) >= before + 2);
    assert.ok(performance.now() - startedAt >= 1000, "three connections within a second");
  });

  test("an answer that is late is not waited for, and counts in Redis once it comes", async (context) => {
    const redis = await privateRedis(context);
    if (redis === undefined) return;
    const { limiter, lines } = openLimiter(context, redis.url, { answerWithinMs: 1000 });
    const limits = { requestsPerMinute: 10, concurrentRequests: 2 };
    const [kept, withdrawn] = [newId("key"), newId("key")];
    const admin = new Redis(redis.url);
    context.after(() => admin.disconnect());
    await limiter.peek(kept, limits);

    await admin.client("PAUSE", 3000, "ALL");
    let isPaused = true;
    const resumed = admin.ping().then(() => (isPaused = false));
    const open = await Promise.all([admitted(limiter, kept, limits), admitted(limiter, withdrawn, limits)]);
    assert.equal(isPaused, true, "the answer was waited for");
    open[1].withdraw();
    assert.deepEqual(lines, [away]);

    await resumed;
    await until(() => lines.includes(back));
    const other = openLimiter(context, redis.url).limiter;
    await until(async () => (await other.peek(withdrawn, limits)).remaining === 10);
    assert.equal((await other.peek(kept, limits)).remaining, 9);
    assert.equal((await enterMany(other, { keyId: kept, limits, calls: 5 })).tickets.length, 1);
    assert.equal((await enterMany(other, { keyId: withdrawn, limits, calls: 5 })).tickets.length, 2);
  });
});

type MovableAddress = { readonly url: string; readonly pointTo: (redis: RedisServer) => void };

/** An address as a name server or a balancer gives it: connections go where it points to when they are made. */
async function movableAddress(context: TestContext, redis: RedisServer): Promise<MovableAddress> {
  const portOf = ({ url }: RedisServer): number => Number(new URL(url).port);
  const sockets: Socket[] = [];
  let port = portOf(redis);
  const server = createServer((client) => {
    const target = connect(port, "127.0.0.1");
    for (const socket of [client, target]) socket.on("error", () => {});
    client.pipe(target).pipe(client);
    sockets.push(client, target);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return { url: `redis://127.0.0.1:${address.port}`, pointTo: (other) => (port = portOf(other)) };
}

async function privateRedis(context: TestContext): Promise<RedisServer | undefined> {
  const redis = await startRedis({ isPrivate: true });
  if ("skipped" in redis) {
    context.skip(`skipped: ${redis.skipped}`);
    return undefined;
  }
  context.after(() => redis.stop());
  return redis;
}

type Opened = { readonly limiter: Limiter; readonly lines: readonly string[] };

/** A node that notes what it tells the operator. A busy machine must not look like an outage, hence the long wait. */
function openLimiter(
  context: TestContext,
  url: string,
  more: { leaseMs?: number; answerWithinMs?: number } = {},
): Opened {
  const lines: string[] = [];
  const note = (_fields: unknown, message: string): void => void lines.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const fallback = memoryLimiter(systemClock);
  const limiter = redisLimiter({ url, clock: systemClock, log, fallback, answerWithinMs: 20_000, ...more });
  context.after(() => limiter.stop());
  return { limiter, lines };
}

/** Waits until every node is counted and each has had the time to hear of it. */
async function allNodesKnown(url: string, nodeCount: number): Promise<void> {
  const admin = new Redis(url);
  await until(async () => (await admin.zcard("skillboss:{nodes}:alive")) === nodeCount);
  await admin.config("RESETSTAT");
  const beatsEach = 3;
  await until(async () => {
    const loads = /cmdstat_script\|load:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1];
    // A beat loads five scripts.
    return Number(loads ?? 0) >= nodeCount * beatsEach * 5;
  });
  admin.disconnect();
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, "it did not happen in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
