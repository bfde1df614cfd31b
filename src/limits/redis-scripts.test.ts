import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import fc from "fast-check";
import { Redis } from "ioredis";
import { newId } from "../core/ids.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { redisKeys, type Script, redisScripts } from "./redis-scripts.ts";

const windowMicros = 60_000_000;

describe("the decisions in Redis", () => {
  let redis: Redis | undefined;
  let skipped: string | undefined;
  let stop = async (): Promise<void> => {};

  before(async () => {
    const server = await startRedis();
    if ("skipped" in server) skipped = server.skipped;
    else {
      redis = new Redis(server.url);
      stop = () => server.stop();
    }
  });
  after(async () => {
    redis?.disconnect();
    await stop();
  });

  function connection(context: TestContext): Redis | undefined {
    if (redis === undefined) context.skip(`skipped: ${skipped}`);
    return redis;
  }

  test("exactly the admissions of the last window count, however many are older", async (context) => {
    const server = connection(context);
    if (server === undefined) return;
    // Five seconds around the edge are left out because the server's clock runs on.
    const age = fc.oneof(fc.integer({ min: 0, max: 55 }), fc.integer({ min: 61, max: 200 }));
    await fc.assert(
      fc.asyncProperty(fc.array(age, { maxLength: 60 }), async (ages) => {
        const keyId = newId("key");
        await admissionsOfAge(server, keyId, ages);
        const [count, untilEmpty] = await run(server, redisScripts.peek, { keyId, values: [windowMicros] });
        const counted = ages.filter((seconds) => seconds < 60);
        assert.equal(count, counted.length);
        const left = counted.length === 0 ? 0 : 60 - Math.min(...counted);
        assert.equal(Math.ceil(Math.min(60, Number(untilEmpty) / 1e6 + 0.5)) >= left, true);
        assert.ok(Number(untilEmpty) / 1e6 <= left);
      }),
      { numRuns: 200 },
    );
  });

  test("a server clock that went back a little counts on, one that went back far starts anew", async (context) => {
    const server = connection(context);
    if (server === undefined) return;
    const [little, far] = [newId("key"), newId("key")];
    await admissionsOfAge(server, little, [3, -20, -20]);
    assert.deepEqual(await run(server, redisScripts.peek, { keyId: little, values: [windowMicros] }), [
      3,
      windowMicros,
    ]);
    assert.equal((await enter(server, little, 4))[0], "allowed");
    assert.equal((await enter(server, little, 4))[0], "rate");
    await admissionsOfAge(server, far, [-3600, -3600]);
    assert.equal((await enter(server, far, 1))[0], "allowed");
  });

  test("every key expires by itself", async (context) => {
    const server = connection(context);
    if (server === undefined) return;
    const keyId = newId("key");
    await enter(server, keyId, 5);
    const { minute, open } = redisKeys(keyId);
    assert.ok((await server.pttl(minute)) > 59_000);
    assert.ok((await server.pttl(minute)) <= 61_000);
    assert.ok((await server.pttl(open)) > 14_000);
    assert.ok((await server.pttl(open)) <= 16_000);
    const nodes = redisKeys(newId("node")).open;
    await server.eval(redisScripts.beat.text, 1, nodes, 15_000_000, "node");
    assert.ok((await server.pttl(nodes)) > 0);
    await server.eval(redisScripts.renew.text, 1, nodes, 1_000_000, "ticket");
    assert.ok((await server.pttl(nodes)) <= 2000);
  });

  test("only commands of Redis 7.0 and older are used", () => {
    const known = new Set(
      "TIME LLEN LINDEX DEL LTRIM ZREMRANGEBYSCORE ZCARD RPUSH PEXPIRE ZADD ZREM LREM".split(" "),
    );
    const texts = Object.values(redisScripts).map((script) => script.text);
    const used = new Set(texts.join("").match(/(?<=redis\.call\(')\w+/g));
    assert.deepEqual(used, known);
  });
});

/** Negative ages lie in the future, as they do after the server's clock went back. */
async function admissionsOfAge(redis: Redis, keyId: string, ages: readonly number[]): Promise<void> {
  if (ages.length === 0) return;
  const [seconds = 0, micros = 0] = await redis.time();
  const now = Number(seconds) * 1e6 + Number(micros);
  const times = ages.toSorted((one, other) => other - one).map((age) => String(now - age * 1e6));
  await redis.rpush(redisKeys(keyId).minute, ...times);
}

async function enter(redis: Redis, keyId: string, limit: number): Promise<readonly unknown[]> {
  return run(redis, redisScripts.enter, {
    keyId,
    values: [windowMicros, limit, 100, newId("call"), 15_000_000],
  });
}

type Call = { readonly keyId: string; readonly values: readonly (string | number)[] };

async function run(redis: Redis, script: Script, { keyId, values }: Call): Promise<readonly unknown[]> {
  const { minute, open } = redisKeys(keyId);
  const answer = await redis.eval(
    script.text,
    script.keyCount,
    ...[minute, open].slice(0, script.keyCount),
    ...values,
  );
  assert.ok(Array.isArray(answer));
  return answer;
}
