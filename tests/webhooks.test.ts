import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { Deliveries } from "../src/calls/webhooks/deliveries.ts";
import { leastSpanMs, leastTries } from "../src/calls/webhooks/retry-schedule.ts";
import { WebhookSecrets } from "../src/calls/webhooks/webhook-secrets.ts";
import {
  answering,
  deliveryOf,
  endRun,
  loopbackEgress,
  masterSecret,
  Scene,
  startReceiver,
  taken,
} from "../src/calls/webhooks/webhooks-under-test.ts";
import type { Answer } from "../src/calls/webhooks/webhooks-under-test.ts";
import { openHomes } from "../src/ledger/ledger-homes.test-support.ts";
import { selfSignedCertificate } from "./support/egress-certificate.ts";
import { startSite } from "./support/egress-sites.ts";
import { eventually } from "./support/fake-upstream.ts";
import { isWholePlan, planned } from "./support/plan-scale.ts";
import { seededRandom } from "./support/seeded-random.ts";

/** What a receiver gets, and when: cases W-01 and W-02 on both homes. */

const owner = { accountId: "acc_1", mode: "live" } as const;
const hour = 3_600;

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") test(`webhooks on ${name}`, { skip: home });
  else describe(`webhooks on ${name}`, () => promises(new Scene(home)));
}

function promises(scene: Scene): void {
  const { database } = scene;

  test("W-01 A message verifies with the library of Standard Webhooks over its raw bytes", async () => {
    const { turn, clock } = scene.bench();
    const id = await endRun(database, { url: scene.receiver.url() });
    await turn();
    const { headers, body, method, path } = scene.last;
    assert.equal(`${method} ${path}`, "POST /hook?token=theirs");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["webhook-id"], id);
    assert.equal(headers["webhook-timestamp"], String(Math.floor(clock.now() / 1000)));
    assert.ok(body.includes("Grüße ✓"));
    const { secret } = await new WebhookSecrets({ database, clock, secret: masterSecret }).read(owner);
    const message = new Webhook(secret).verify(Buffer.from(body), textHeaders(headers));
    assert.deepEqual(message, JSON.parse(body));
    assert.equal(JSON.parse(body).type, "run.completed");
    assert.throws(
      () => new Webhook(secret).verify(`${body} `, textHeaders(headers)),
      /No matching signature/,
    );
    const { state, tries, last_status, delivered_at } = await deliveryOf(database, id);
    assert.deepEqual([state, tries, last_status], ["delivered", 1, 204]);
    assert.ok(delivered_at !== null);
  });

  test("W-01 Accounts and modes have secrets of their own, the same after a start, others for another server", async () => {
    const { clock } = scene.bench();
    const secretFor = async (accountId: string, mode: "live" | "test", secret = masterSecret) =>
      (await new WebhookSecrets({ database, clock, secret }).read({ accountId, mode })).secret;
    const all = [
      await secretFor("acc_1", "live"),
      await secretFor("acc_1", "test"),
      await secretFor("acc_2", "live"),
      await secretFor("acc_1", "live", "another server"),
    ];
    assert.equal(new Set(all).size, all.length);
    for (const secret of all) assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(await secretFor("acc_1", "live"), all[0]);
  });

  test("W-01 After a rotation both secrets verify for 24 hours, then only the new one", async () => {
    const { turn, clock } = scene.bench();
    const secrets = new WebhookSecrets({ database, clock, secret: masterSecret });
    const first = await secrets.read(owner);
    const second = await secrets.rotate(owner);
    assert.notEqual(second.secret, first.secret);
    assert.equal(second.generation, 2);
    assert.deepEqual(second.replaced, [
      { generation: 1, signsUntil: new Date(clock.now() + 24 * hour * 1000) },
    ]);

    await endRun(database, { url: scene.receiver.url() });
    await turn();
    for (const { secret } of [first, second])
      assert.ok(new Webhook(secret).verify(scene.last.body, textHeaders(scene.last.headers)));
    const other = await secrets.read({ accountId: "acc_2", mode: "live" });
    assert.throws(() => new Webhook(other.secret).verify(scene.last.body, textHeaders(scene.last.headers)));

    clock.turn({ seconds: 24 * hour - 1 });
    await endRun(database, { url: scene.receiver.url() });
    await turn();
    assert.deepEqual(signersOf(scene.last, [first.secret, second.secret]), [true, true]);
    await endRun(database, { url: scene.receiver.url() });
    await turn(1);
    assert.deepEqual(signersOf(scene.last, [first.secret, second.secret]), [false, true]);
  });

  test("W-01 Rotations at once are one or follow each other, and too many in a day are refused", async () => {
    const { clock } = scene.bench();
    const secrets = new WebhookSecrets({ database, clock, secret: masterSecret });
    const made = await Promise.all([1, 2, 3].map(() => secrets.rotate(owner)));
    const { generation, replaced } = await secrets.read(owner);
    assert.ok(made.every((one) => one.generation > 1 && one.generation <= generation));
    assert.equal(replaced.length, generation - 1);
    for (let next = generation; next < 5; next += 1)
      assert.equal((await secrets.rotate(owner)).generation, next + 1);
    await assert.rejects(secrets.rotate(owner), { name: "Problem", code: "conflict" });
    clock.turn({ seconds: 24 * hour });
    assert.equal((await secrets.rotate(owner)).generation, 6);
  });

  test("W-02 After 500 three times a 200 ends it: the same id and body each time, a new time and signature", async () => {
    const { turn, clock } = scene.bench();
    const { secret } = await new WebhookSecrets({ database, clock, secret: masterSecret }).read(owner);
    scene.answer = (request, response) =>
      answering(scene.receiver.visits.length <= 3 ? 500 : 200)(request, response);
    const id = await endRun(database, { url: scene.receiver.url() });
    for (const seconds of [0, 5, 20, 80]) await turn(seconds);
    assert.equal(scene.receiver.visits.length, 4);
    const [visit] = scene.receiver.visits;
    for (const { body, headers } of scene.receiver.visits) {
      assert.equal(headers["webhook-id"], id);
      assert.equal(body, visit?.body);
      assert.deepEqual(signersOf({ body, headers }, [secret]), [true]);
    }
    const times = scene.receiver.visits.map(({ headers }) => Number(headers["webhook-timestamp"]));
    assert.deepEqual(
      times.map((time) => time - (times[0] ?? 0)),
      [0, 5, 25, 105],
    );
    const { state, tries, last_status, last_fault } = await deliveryOf(database, id);
    assert.deepEqual([state, tries, last_status, last_fault], ["delivered", 4, 200, null]);
    await turn(48 * hour);
    assert.equal(scene.receiver.visits.length, 4);
  });

  test("W-02 Before its time a message is not tried again", async () => {
    const { turn } = scene.bench({ random: () => 0.5 });
    scene.answer = answering(500);
    await endRun(database, { url: scene.receiver.url() });
    await turn();
    await turn(2.4);
    assert.equal(scene.receiver.visits.length, 1);
    await turn(0.2);
    assert.equal(scene.receiver.visits.length, 2);
  });

  test("W-02 410 ends it at once, anything else that is not 2xx does not", async () => {
    const { turn } = scene.bench();
    for (const code of [410, 404, 400, 401, 403, 304, 422, 502]) {
      scene.answer = answering(code);
      scene.receiver.forget();
      const id = await endRun(database, { url: scene.receiver.url() });
      await turn();
      await turn(5);
      const { state, last_status, tries, next_at } = await deliveryOf(database, id);
      assert.equal(last_status, code);
      assert.equal(scene.receiver.visits.length, code === 410 ? 1 : 2, `${code}`);
      assert.deepEqual([state, tries], code === 410 ? ["refused", 1] : ["waiting", 2], `${code}`);
      assert.ok(next_at instanceof Date);
      await database.kysely.deleteFrom("deliveries").execute();
    }
  });

  test("W-02 A redirect is a failure and is not followed", async () => {
    const { turn } = scene.bench();
    const elsewhere = await startReceiver(taken);
    scene.answer = answering(307, { location: elsewhere.url() });
    const id = await endRun(database, { url: scene.receiver.url() });
    await turn();
    const { state, last_status, last_fault } = await deliveryOf(database, id);
    assert.deepEqual([state, last_status, last_fault], ["waiting", 307, "redirect"]);
    assert.equal(elsewhere.connections(), 0);
    await elsewhere.stop();
  });

  test("W-02 A receiver that hangs, breaks off, speaks no HTTP or has a bad certificate is tried again", async () => {
    const secure = await startSite(taken, { certificate: selfSignedCertificate(["127.0.0.1"]) });
    const cases: readonly (readonly [url: string, does: Answer, faults: readonly string[]])[] = [
      [scene.receiver.url(), () => undefined, ["timeout"]],
      [scene.receiver.url(), (_, response) => void response.destroy(), ["refused"]],
      [scene.receiver.url(), (_, response) => void response.socket?.end("nonsense\r\n\r\n"), ["unreadable"]],
      [secure.origin, taken, ["refused", "unreadable"]],
    ];
    // The plan's receiver hangs for 30 s; the time of a try is 20 s, and here shorter.
    const hangsMs = planned({ whole: 20_000, quick: 300 });
    for (const [url, does, faults] of cases) {
      const begunAt = performance.now();
      const { turn } = scene.bench({ timeoutMs: faults.includes("timeout") ? hangsMs : 20_000 });
      scene.answer = does;
      const id = await endRun(database, { url });
      await turn();
      const { state, last_status, last_fault } = await deliveryOf(database, id);
      assert.deepEqual([state, last_status], ["waiting", null]);
      assert.ok(faults.includes(String(last_fault)), String(last_fault));
      if (isWholePlan) assert.ok(performance.now() - begunAt < 22_000, "it is given up before 30 s");
      await database.kysely.deleteFrom("deliveries").execute();
    }
    assert.equal(secure.visits.length, 0);
    await secure.stop();
  });

  test("A 2xx counts however long, slow or broken its body is", async () => {
    const long: Answer = (_, response) => void response.writeHead(200).end("x".repeat(1_000_000));
    const endless: Answer = (_, response) => void response.writeHead(200).write("never ends");
    const broken: Answer = (_, response) =>
      void response.writeHead(200, { "content-length": "10" }).write("x", () => response.destroy());
    const wrong: Answer = (_, response) =>
      void response.writeHead(200, { "content-encoding": "gzip" }).end("no gzip");
    for (const body of [long, endless, broken, wrong]) {
      const { turn } = scene.bench({ timeoutMs: body === endless ? 1_500 : 20_000 });
      scene.answer = body;
      const id = await endRun(database, { url: scene.receiver.url() });
      await turn();
      assert.equal((await deliveryOf(database, id)).state, "delivered", body.toString());
    }
  });

  test("W-02 A receiver that is down for an hour gets its message when it is back", async () => {
    const { turn, clock } = scene.bench();
    const down = await startReceiver(taken);
    await down.stop();
    const id = await endRun(database, { url: down.url() });
    const began = clock.now();
    await turn();
    while (clock.now() - began < hour * 1000) await turn(60);
    const { state, last_fault, tries } = await deliveryOf(database, id);
    assert.deepEqual([state, last_fault], ["waiting", "refused"]);
    assert.ok(tries >= 4, `${tries} tries in the first hour`);
    const back = await startReceiver(taken, down.port);
    for (let waited = 0; back.visits.length === 0 && waited < 6; waited += 1) await turn(hour);
    assert.equal(back.visits[0]?.headers["webhook-id"], id);
    assert.equal((await deliveryOf(database, id)).state, "delivered");
    await back.stop();
  });

  test("W-02 A message nobody takes: spaced with jitter, at least 8 tries over at least 24 hours, then visible and replayable", async () => {
    const { turn, clock } = scene.bench({ random: seededRandom(7) });
    scene.answer = answering(500);
    const ids = [
      await endRun(database, { url: scene.receiver.url("one") }),
      await endRun(database, { url: scene.receiver.url("two") }),
    ];
    const deliveries = new Deliveries(database, clock);
    const times = new Map<unknown, number[]>(ids.map((id) => [id, []]));
    scene.answer = (request, response) => {
      times.get(request.headers["webhook-id"])?.push(clock.now());
      answering(500)(request, response);
    };
    const given = async () =>
      (await deliveries.list({ ...owner, state: "given_up", limit: 10, after: undefined })).deliveries;
    await turn();
    for (let turns = 0; (await given()).length < 2 && turns < 200; turns += 1) {
      const { next } = await database.kysely
        .selectFrom("deliveries")
        .select((row) => row.fn.min("next_at").as("next"))
        .where("state", "=", "waiting")
        .executeTakeFirstOrThrow();
      await turn(Math.max(0, (next.getTime() - clock.now()) / 1000));
    }
    const waits = ids.map((id) =>
      (times.get(id) ?? []).map((at, index, all) => at - (all[index - 1] ?? at)).slice(1),
    );
    for (const all of waits) {
      assert.ok(all.length + 1 >= leastTries, `${all.length + 1} tries`);
      assert.ok(all.reduce((sum, wait) => sum + wait, 0) >= leastSpanMs);
      const ceilings = all.map((_, index) => Math.min(5_000 * 4 ** index, 6 * hour * 1000) + 1);
      assert.ok(
        all.every((wait, index) => wait <= (ceilings[index] ?? 0)),
        all.join(),
      );
      assert.ok(
        all.slice(5).some((wait) => wait > hour * 1000),
        "late waits are long",
      );
    }
    assert.notDeepEqual(waits[0], waits[1]);

    assert.deepEqual((await given()).map(({ id }) => id).toSorted(), ids.toSorted());
    const before = scene.receiver.visits.length;
    await turn(72 * hour);
    assert.equal(scene.receiver.visits.length, before);
    scene.answer = taken;
    const [id = ""] = ids;
    assert.equal((await deliveries.replay(id, owner)).state, "waiting");
    await turn();
    assert.equal(scene.receiver.visits.length, before + 1);
    assert.equal(scene.last.headers["webhook-id"], id);
    assert.deepEqual([(await deliveryOf(database, id)).state, (await given()).length], ["delivered", 1]);
  });

  test("A replayed message has its whole schedule before it, whatever became of it before", async () => {
    const { turn, clock } = scene.bench();
    const deliveries = new Deliveries(database, clock);
    const id = await endRun(database, { url: scene.receiver.url() });
    await turn();
    for (const [code, state] of [
      [410, "refused"],
      [500, "waiting"],
      [200, "delivered"],
    ] as const) {
      clock.turn({ seconds: 100 * hour });
      scene.answer = answering(code);
      await deliveries.replay(id, owner);
      await turn();
      const row = await deliveryOf(database, id);
      assert.deepEqual([row.state, row.tries, row.first_tried_at?.getTime()], [state, 1, clock.now()]);
    }
    assert.equal(new Set(scene.receiver.visits.map(({ headers }) => headers["webhook-id"])).size, 1);
  });

  test("A replay in the middle of a retry is not swallowed by that retry's end", async () => {
    const { turn, clock, worker } = scene.bench();
    const deliveries = new Deliveries(database, clock);
    scene.answer = answering(500);
    const id = await endRun(database, { url: scene.receiver.url() });
    await turn();
    let release: () => void = () => assert.fail("nobody came");
    scene.answer = (request, response) => (release = () => answering(200)(request, response));
    clock.turn({ seconds: 5 });
    worker.nudge();
    await eventually(() => scene.receiver.visits.length === 2, 10_000);
    await deliveries.replay(id, owner);
    scene.answer = taken;
    release();
    await worker.whenIdle();
    assert.equal(scene.receiver.visits.length, 3);
    const { state, tries } = await deliveryOf(database, id);
    assert.deepEqual([state, tries], ["delivered", 1]);
  });

  test("W-02 Retry-After of 429 and 503 is waited for, in seconds and as a date; of others it is not", async () => {
    const { turn, clock } = scene.bench({ random: () => 0 });
    const inAnHour = () => new Date(clock.now() + hour * 1000).toUTCString();
    const cases: readonly (readonly [code: number, asked: () => string, seconds: number])[] = [
      [503, () => "3600", hour],
      [429, () => "3600", hour],
      [429, inAnHour, hour],
      [503, () => "soon", 0],
      [503, () => "-5", 0],
      [500, () => "3600", 0],
    ];
    for (const [code, asked, seconds] of cases) {
      scene.receiver.forget();
      scene.answer = (request, response) => {
        const isFirst = scene.receiver.visits.length === 1;
        (isFirst ? answering(code, { "retry-after": asked() }) : taken)(request, response);
      };
      await endRun(database, { url: scene.receiver.url() });
      await turn();
      if (seconds > 0) {
        // A date has no milliseconds.
        await turn(seconds - 2);
        assert.equal(scene.receiver.visits.length, 1, `${code} ${asked()}`);
        await turn(2);
      }
      assert.equal(scene.receiver.visits.length, 2, `${code} ${asked()}`);
    }
  });

  test("F-04 The address is judged anew at each try", async () => {
    let leadsTo = "";
    const { turn } = scene.bench({ egress: loopbackEgress(async () => [leadsTo]) });
    for (let tries = 0; tries < planned({ whole: 300, quick: 1 }); tries += 1) {
      leadsTo = "10.0.0.1";
      scene.receiver.forget();
      const id = await endRun(database, { url: scene.receiver.url() });
      await turn();
      const first = await deliveryOf(database, id);
      assert.deepEqual([first.state, first.last_fault, first.tries], ["waiting", "url_not_allowed", 1]);
      assert.equal(scene.receiver.visits.length, 0);
      leadsTo = "127.0.0.1";
      await turn(5);
      assert.equal((await deliveryOf(database, id)).state, "delivered");
    }
  });
}

/** Which of the secrets signed, by the library's own signing: it refuses to verify what a turned clock dates. */
function signersOf(
  { body, headers }: { readonly body: string; readonly headers: IncomingMessage["headers"] },
  secrets: readonly string[],
): readonly boolean[] {
  const at = new Date(Number(headers["webhook-timestamp"]) * 1000);
  const signatures = String(headers["webhook-signature"]).split(" ");
  return secrets.map((secret) =>
    signatures.includes(new Webhook(secret).sign(String(headers["webhook-id"]), at, body)),
  );
}

function textHeaders(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
