/**
 * A node of its own for tests: enters calls on command and answers with the number admitted, which it keeps open.
 * Arguments: Redis address, key, requests per minute, concurrent calls, lease in ms. Ends with its input.
 */
import { createInterface } from "node:readline";
import { systemClock } from "../core/clock.ts";
import { silentLog } from "../core/log.ts";
import { memoryLimiter } from "./memory-limiter.ts";
import { redisLimiter } from "./redis-limiter.ts";

const [url = "", keyId = "", requestsPerMinute, concurrentRequests, leaseMs] = process.argv.slice(2);
const limits = {
  requestsPerMinute: Number(requestsPerMinute),
  concurrentRequests: Number(concurrentRequests),
};
const limiter = redisLimiter({
  url,
  clock: systemClock,
  log: silentLog,
  fallback: memoryLimiter(systemClock),
  leaseMs: Number(leaseMs),
  answerWithinMs: 10_000,
});
await limiter.peek(keyId, limits);
process.stdout.write("ready\n");
for await (const calls of createInterface({ input: process.stdin })) {
  const entering = Array.from({ length: Number(calls) }, async () => limiter.enter(keyId, limits));
  const answers = await Promise.all(entering);
  process.stdout.write(`${answers.filter((answer) => answer.allowed).length}\n`);
}
await limiter.stop();
