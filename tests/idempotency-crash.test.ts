/** Case C-09 of the test plan through crashes: the process dies at any moment, and the client asks again. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { hello } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import * as fake from "./support/fake-behaviours.ts";
import { eventually } from "./support/fake-upstream.ts";
import type { Gateway } from "./support/gateway.ts";
import { quietAudit } from "./support/money-trail.ts";
import { chargesOf, send, sendUntilFinal, startRepeated } from "./support/repeated-requests.ts";
import type { Repeated } from "./support/repeated-requests.ts";
import { homes, onHome } from "./support/restarts.ts";
import type { Place } from "./support/restarts.ts";
import { seededRandom } from "./support/seeded-random.ts";

const kills = 4;
const search = { model: "exa/search", inputs: { query: "balances [sandbox:delay-60]" } };

// Both at once: starting again is most of the time, and uses one core.
suite("C-09 after a kill -9", { concurrency: 2 }, () => {
  for (const home of homes) {
    test(`at any moment the same key leads to one charge, on ${home}`, { timeout: 150_000 }, (t) =>
      onHome(home, t, (place) => killAgainAndAgain(place, seededRandom(home === "PostgreSQL" ? 34 : 33))),
    );
  }
});

test("what was answered before an orderly stop, or during it, is answered again after the next start", (t) =>
  onHome("the embedded database", t, async ({ upstream, start, startClean }) => {
    const node = await start();
    const customer = await node.customer();
    const chat = { path: "/v1/chat/completions", body: { model: "m-chat", messages: hello }, customer };
    const [before, during] = ["before", "during"].map((idempotencyKey) => ({ ...chat, idempotencyKey }));
    assert.ok(before !== undefined && during !== undefined);
    const answers = [await send(node, before)];
    upstream.script("m-chat", fake.ok({ afterMs: 300 }));
    const underWay = send(node, during);
    await eventually(() => upstream.open() === 1, 10_000);
    const stopped = once(node.process, "exit");
    node.process.kill("SIGTERM");
    assert.deepEqual(await stopped, [0, null]);
    answers.push(await underWay);
    const next = await startClean();
    for (const [index, request] of [before, during].entries()) {
      const again = await send(next, request);
      assert.deepEqual([again.isReplay, again.text], [true, answers[index]?.text]);
    }
    assert.equal((await chargesOf(next, customer)).length, 2);
    await endsClean(next);
  }));

async function killAgainAndAgain({ upstream: provider, start }: Place, random: () => number): Promise<void> {
  provider.script("m-chat", fake.ok({ tokens: 5, everyMs: 8 }));
  let node = await start();
  const runner = await node.customer({ mode: "test" });
  let found = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const customer = await node.customer();
    const body = { model: "m-chat", messages: hello, stream: kill % 2 === 1 };
    const chat = { path: "/v1/chat/completions", body, customer, idempotencyKey: `kill ${kill}` };
    const run = { path: "/v1/run", body: search, customer: runner, idempotencyKey: `kill ${kill}` };
    const exchange = startRepeated(node, chat);
    const running = send(node, run).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5 + random() * 150));
    await node.kill9();
    await Promise.all([exchange.over, running]);
    node = await start();
    const answer = await finalOf(node, chat);
    assert.ok(["200", "answer_not_kept"].includes(answer), answer);
    assert.equal((await chargesOf(node, customer)).length, 1, `kill ${kill}: ${answer}`);
    const outcome = await finalOf(node, run);
    assert.ok(["200", "outcome_unknown"].includes(outcome), outcome);
    if (outcome === "200") found += 1;
  }
  await quietAudit(node);
  assert.equal((await chargesOf(node, runner, "test")).length, found);
  await endsClean(node);
}

/** What it is answered with in the end, and from then on. */
async function finalOf(node: Gateway, request: Repeated): Promise<string> {
  const answers = [await sendUntilFinal(node, request), await sendUntilFinal(node, request)];
  const [first, second] = answers.map(({ status, code, text }) => [code ?? String(status), code ?? text]);
  assert.deepEqual(first, second);
  return first?.[0] ?? "";
}
