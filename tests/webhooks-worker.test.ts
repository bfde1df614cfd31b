import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deliveryOf, endRun, keptLog, Scene, taken } from "../src/calls/webhooks/webhooks-under-test.ts";
import { openHomes } from "../src/ledger/ledger-homes.test-support.ts";
import { eventually } from "./support/fake-upstream.ts";
import { isWholePlan } from "./support/plan-scale.ts";

/** How messages are delivered beside each other, by several nodes, and at a stop, on both homes. */

const hour = 3_600;

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") test(`the delivery worker on ${name}`, { skip: home });
  else describe(`the delivery worker on ${name}`, () => promises(new Scene(home)));
}

function promises(scene: Scene): void {
  const { database } = scene;

  test("W-02 A slow receiver, or an account with many, delays nobody else, and never has more than its tries at once", async () => {
    const { worker } = scene.bench({ timeoutMs: 60_000 });
    const open = new Map<string, number>();
    let most = 0;
    scene.answer = (request, response) => {
      const host = request.headers.host ?? "";
      if (host.startsWith("quick")) return taken(request, response);
      open.set(host, (open.get(host) ?? 0) + 1);
      most = Math.max(most, open.get(host) ?? 0);
      return undefined;
    };
    for (let count = 0; count < 20; count += 1) await endRun(database, { url: scene.receiver.url("slow") });
    for (let count = 0; count < 40; count += 1)
      await endRun(database, { url: scene.receiver.url(`slow-${count}`), accountId: "acc_of_slow_ones" });
    worker.nudge();
    await eventually(() => open.size >= 8, 10_000);
    const ids: string[] = [];
    const begunAt = performance.now();
    for (let count = 0; count < 30; count += 1)
      ids.push(await endRun(database, { url: scene.receiver.url("quick"), accountId: `acc_${count}` }));
    worker.nudge();
    const quick = () => scene.receiver.visits.filter(({ headers }) => headers.host?.startsWith("quick"));
    // The slow ones would take a minute.
    await eventually(() => quick().length === 30, 10_000);
    // All within 2 s, from the end of the first run: so is each.
    if (isWholePlan) assert.ok(performance.now() - begunAt < 2_000, `${performance.now() - begunAt} ms`);
    assert.deepEqual(
      quick()
        .map(({ headers }) => String(headers["webhook-id"]))
        .toSorted(),
      ids.toSorted(),
    );
    assert.equal(most, 2);
    assert.equal(
      [...open.values()].reduce((sum, count) => sum + count, 0),
      2 + 8,
    );
  });

  test("W-02 Of accounts that share a receiver none waits for more than one try of another, however long that one's queue", async () => {
    const { worker } = scene.bench({ timeoutMs: 60_000 });
    const slow: (() => void)[] = [];
    scene.answer = (request, response) => {
      if (request.url?.startsWith("/slow") !== true) return taken(request, response);
      return void slow.push(() => taken(request, response));
    };
    const url = scene.receiver.url("shared");
    for (let count = 0; count < 30; count += 1)
      await endRun(database, { url: url.replace("/hook", "/slow"), accountId: "acc_of_slow_ones" });
    worker.nudge();
    await eventually(() => slow.length === 2, 10_000);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1)
      ids.push(await endRun(database, { url, accountId: `acc_${count}` }));
    slow[0]?.();
    const quick = () => scene.receiver.visits.filter(({ path }) => path.startsWith("/hook"));
    await eventually(() => quick().length === ids.length, 10_000);
    await eventually(() => slow.length === 3, 10_000);
    assert.deepEqual(
      quick()
        .map(({ headers }) => String(headers["webhook-id"]))
        .toSorted(),
      ids.toSorted(),
    );
  });

  test("Two nodes deliver every message once", async () => {
    const { worker } = scene.bench();
    const other = scene.otherBench();
    const ids: string[] = [];
    for (let count = 0; count < 40; count += 1)
      ids.push(await endRun(database, { url: scene.receiver.url(`r${count % 7}`) }));
    worker.nudge();
    other.worker.nudge();
    await Promise.all([worker.whenIdle(), other.worker.whenIdle()]);
    await scene.bench().turn();
    assert.deepEqual(
      scene.receiver.visits.map(({ headers }) => String(headers["webhook-id"])).toSorted(),
      ids.toSorted(),
    );
  });

  test("A try that is under way is not begun a second time, even when its lease seems to have run out", async () => {
    const { worker, clock } = scene.bench();
    let release: () => void = () => assert.fail("nobody came");
    scene.answer = (request, response) => (release = () => taken(request, response));
    const id = await endRun(database, { url: scene.receiver.url() });
    worker.nudge();
    await eventually(() => scene.receiver.visits.length === 1, 10_000);
    clock.turn({ seconds: hour });
    worker.nudge();
    const other = scene.otherBench();
    await other.turn();
    assert.equal(scene.receiver.visits.length, 1);
    release();
    await worker.whenIdle();
    assert.deepEqual(
      [(await deliveryOf(database, id)).state, scene.receiver.visits.length],
      ["delivered", 1],
    );
  });

  test("A stop lets running tries end", async () => {
    const { worker } = scene.bench();
    let release: () => void = () => assert.fail("nobody came");
    scene.answer = (request, response) => (release = () => taken(request, response));
    const id = await endRun(database, { url: scene.receiver.url() });
    worker.nudge();
    await eventually(() => scene.receiver.visits.length === 1, 10_000);
    const stopped = worker.stop(60_000);
    release();
    await stopped;
    assert.equal((await deliveryOf(database, id)).state, "delivered");
    await endRun(database, { url: scene.receiver.url() });
    worker.nudge();
    await worker.whenIdle();
    assert.equal(scene.receiver.visits.length, 1);
  });

  test("A stop gives back what does not end in time: the next process goes on at once, the try does not count", async () => {
    const { worker } = scene.bench({ timeoutMs: 60_000 });
    scene.answer = () => undefined;
    const id = await endRun(database, { url: scene.receiver.url() });
    worker.nudge();
    await eventually(() => scene.receiver.visits.length === 1, 10_000);
    await worker.stop(0);
    const { state, tries, lease_until } = await deliveryOf(database, id);
    assert.deepEqual([state, tries, lease_until], ["waiting", 0, null]);
    scene.answer = taken;
    const { turn } = scene.bench();
    await turn();
    assert.deepEqual(
      scene.receiver.visits.map(({ headers }) => headers["webhook-id"]),
      [id, id],
    );
    assert.equal((await deliveryOf(database, id)).state, "delivered");
  });

  test("A worker that was started looks by itself, and a clock behind the database's delays no new message", async () => {
    const { worker, clock } = scene.bench();
    clock.turn({ seconds: -60 });
    worker.start();
    await worker.whenIdle();
    await endRun(database, { url: scene.receiver.url() });
    await eventually(() => scene.receiver.visits.length === 1, 20_000);
    await worker.whenIdle();
  });

  test("W-04 Of what a receiver answers, at most 200 characters reach the log and nothing is stored", async () => {
    const log = keptLog();
    const { turn } = scene.bench({ log });
    scene.answer = (_, response) => void response.writeHead(500).end(`<script>${"answer ".repeat(5_000)}`);
    const id = await endRun(database, { url: scene.receiver.url() });
    await turn();
    assert.ok(!JSON.stringify(await deliveryOf(database, id)).includes("answer"));
    const [line] = log.lines;
    assert.equal(log.lines.length, 1);
    assert.ok(typeof line?.fields["said"] === "string" && line.fields["said"].length === 200);
    const logged = JSON.stringify(log.lines);
    assert.ok(
      logged.length < 1_000 && !logged.includes("token=theirs") && !logged.includes("whsec_"),
      logged,
    );
  });
}
