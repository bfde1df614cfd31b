/** A batch of messages whose process dies: told again with its Idempotency-Key it goes on, and nobody gets one twice. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { endsClean } from "./support/clean-end.ts";
import { freshDataDirectory } from "./support/embedded.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { Gateway } from "./support/gateway.ts";

const receivers = Array.from({ length: 8 }, (_, at) => ({
  email: `r${at}@example.com`,
  variables: { name: `R ${at}` },
}));
const letter = { title: "Hi {{name}} [sandbox:delay-300]", body_html: "<p>Hi {{name}}</p>", receivers };

type Result = { readonly status: string; readonly run_id: string };

test("a batch that a crash broke off is finished when it is asked for again, each message begun once", async () => {
  const directory = await freshDataDirectory();
  const first = await startGatewayProcess({ directory });
  const { key } = await first.customer({ mode: "test" });
  const broken = send(first, key).catch(() => "cut");
  const giveUpAt = performance.now() + 60_000;
  while ((await first.get(key, "/v1/job?status=completed")).body.count < 3) {
    assert.ok(performance.now() < giveUpAt, "the batch does not get on");
    await wait(50);
  }
  await first.kill9();
  assert.equal(await broken, "cut");

  const second = await startGatewayProcess({ directory });
  try {
    let answer = await send(second, key);
    for (; answer.status === 409; answer = await send(second, key)) await wait(200);
    const results: readonly Result[] = answer.body.results;
    assert.equal(results.length, receivers.length);
    const unsure = results.filter(({ status }) => status === "unknown");
    assert.ok(unsure.length <= 1, "only the one that was on its way");
    assert.equal(answer.body.sent, receivers.length - unsure.length, JSON.stringify(results));
    const again = await send(second, key);
    assert.deepEqual(again.body, answer.body);
    const { body: jobs } = await second.get(key, "/v1/job?limit=100");
    assert.deepEqual(
      jobs.jobs.map(({ id }: { id: string }) => id).toSorted(),
      results.map((result) => result.run_id).toSorted(),
    );
    const { body: balance } = await second.get(key, "/v1/balance");
    assert.equal(Number(balance.available), 1_000 - answer.body.sent * 0.002);
  } finally {
    await endsClean(second);
    rmSync(directory, { recursive: true, force: true });
  }
});

async function send(gateway: Gateway, key: string) {
  const response = await fetch(`${gateway.url}/v1/send-emails`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "idempotency-key": "batch-1",
    },
    body: JSON.stringify(letter),
  });
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: response.status, body: (await response.json()) as any };
}
