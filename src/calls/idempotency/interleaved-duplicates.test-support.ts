import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../../../tests/support/seeded-random.ts";
import { systemClock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { silentLog } from "../../core/log.ts";
import { addAccount } from "../../ledger/ledger-homes.test-support.ts";
import { holdOf, receiptOf } from "../../ledger/ledger-under-test.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import { sqlLedger } from "../../ledger/sql-ledger.ts";
import type { Database } from "../../storage/database.ts";
import type { Claim, ClaimWish, KeptAnswers } from "./kept-answers.ts";
import { keptAnswersOf } from "./sql-kept-answers.ts";

const seed = 19;
const rounds = 30;
const duplicates = 6;
const mostCrashes = 3;
const cost = 7n;

export type Homes = { readonly database: Database; readonly otherDatabase: Database };

/**
 * Sends the same request from many clients to two processes, whose work is refused, fails, breaks off or dies at random
 * points, until every client has an answer. Whatever happened: one call was charged, and everybody heard of that one.
 */
export async function assertOneCharge(homes: Homes): Promise<void> {
  const random = seededRandom(seed);
  const seen = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    const scene = await sceneOf(homes, random);
    const outcomes = await Promise.all(Array.from({ length: duplicates }, () => askUntilAnswered(scene)));
    await Promise.all(scene.processes.map(end));
    const receipts = await homes.database.kysely
      .selectFrom("receipts")
      .select(["call_id", "cost"])
      .where("account_id", "=", scene.accountId)
      .where("cost", ">", 0n)
      .execute();
    assert.equal(receipts.length, 1, `seed ${seed}, round ${round}: ${receipts.length} calls were charged`);
    const [charged] = receipts;
    for (const { callId } of outcomes) assert.equal(callId, charged?.call_id, `seed ${seed}, round ${round}`);
    const ways = new Set(outcomes.map(({ state }) => state));
    assert.equal(ways.size, 1, `seed ${seed}, round ${round}: ${[...ways].join()}`);
    for (const way of [...ways, ...scene.met]) seen.add(way);
  }
  assert.deepEqual([...seen].toSorted(), [...everything].toSorted(), "every case came up");
}

const everything = [
  "answered",
  "brokeOff",
  "charged",
  "crash",
  "done",
  "failed",
  "refused",
  "running",
] as const;

type Process = {
  readonly nodeId: string;
  readonly ledger: Ledger;
  readonly answers: KeptAnswers;
  isDead: boolean;
};

type Scene = {
  readonly homes: Homes;
  readonly random: () => number;
  readonly accountId: string;
  readonly key: string;
  readonly processes: Process[];
  /** What came up. */
  readonly met: Set<string>;
  crashes: number;
};

async function sceneOf(homes: Homes, random: () => number): Promise<Scene> {
  const first = await begin(homes.database);
  const second = await begin(homes.otherDatabase);
  const accountId = await addAccount(homes.database);
  await first.ledger.grant({ id: newId("grant"), accountId, mode: "live", amount: 10_000n, reason: "" });
  const key = newId("msg");
  return { homes, random, accountId, key, processes: [first, second], met: new Set(), crashes: 0 };
}

async function begin(database: Database): Promise<Process> {
  const shared = { database, nodeId: newId("node"), log: silentLog, deadNodes: [] };
  const ledger = sqlLedger({ ...shared, clock: systemClock });
  await ledger.recover();
  return { nodeId: shared.nodeId, ledger, answers: keptAnswersOf(shared), isDead: false };
}

/** What it had under way reaches the database; nobody hears of it. Its row in `nodes` goes. */
async function end(process: Process): Promise<void> {
  process.isDead = true;
  await process.answers.stop();
  await process.ledger.stop();
}

class Crashed extends Error {}

type Outcome = { readonly state: string; readonly callId: string };

/** A client that asks again until it has an answer, or hears that there is none. */
async function askUntilAnswered(scene: Scene): Promise<Outcome> {
  await pause(scene.random() * 15);
  for (let tries = 0; tries < 500; tries += 1) {
    const process = scene.processes[Math.floor(scene.random() * scene.processes.length)];
    assert.ok(process !== undefined);
    try {
      const outcome = await ask(scene, process);
      if (outcome !== undefined) return outcome;
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
    }
    await pause(scene.random() * 4);
  }
  return assert.fail("a client was never answered");
}

async function ask(scene: Scene, process: Process): Promise<Outcome | undefined> {
  const requestId = newId("req");
  const wish: ClaimWish = {
    scope: `${scene.accountId} live POST /v1/chat/completions`,
    key: scene.key,
    requestId,
    callId: requestId.replace("req_", "call_"),
    bodyHash: Buffer.alloc(32, 7),
  };
  const claimed = await process.answers.claim(wish);
  await mayCrash(scene, process);
  switch (claimed.state) {
    case "claimed":
      return work({ scene, process, claim: claimed.claim }, wish.callId);
    case "answered":
      return { state: "answered", callId: String(claimed.answer.body) };
    case "charged":
      assert.equal(claimed.cost, cost);
      return { state: "charged", callId: claimed.callId };
    case "running":
      scene.met.add("running");
      return undefined;
    case "begun":
    case "reused":
      return assert.fail(claimed.state);
  }
}

type Work = { readonly scene: Scene; readonly process: Process; readonly claim: Claim };

async function work({ scene, process, claim }: Work, callId: string): Promise<Outcome | undefined> {
  const { answers, ledger } = process;
  const fate = fateOf(scene.random());
  scene.met.add(fate);
  if (fate !== "refused") {
    const request = holdOf(scene.accountId, { callId });
    assert.equal((await ledger.hold(request)).held, 100n);
    await mayCrash(scene, process);
    const endings = { failed: "failed", brokeOff: "aborted", done: "done" } as const;
    await ledger.close(receiptOf(request, fate === "failed" ? 0n : cost, { ending: endings[fate] }));
    await mayCrash(scene, process);
  }
  const answer = { status: 200, headers: {}, body: Buffer.from(callId) };
  await answers.end(claim, fate === "done" ? answer : undefined);
  await mayCrash(scene, process);
  return fate === "done" ? { state: "answered", callId } : undefined;
}

function fateOf(chance: number): "refused" | "failed" | "brokeOff" | "done" {
  if (chance < 0.25) return "refused";
  if (chance < 0.5) return "failed";
  return chance < 0.6 ? "brokeOff" : "done";
}

/** Time passes; now and then the process dies and another one takes its place, which closes its calls. */
async function mayCrash(scene: Scene, process: Process): Promise<void> {
  await pause(scene.random() * 3);
  if (!process.isDead && scene.crashes < mostCrashes && scene.random() < 0.12) {
    scene.crashes += 1;
    scene.met.add("crash");
    process.isDead = true;
    const place = scene.processes.indexOf(process);
    const { homes } = scene;
    await end(process);
    scene.processes[place] = await begin(place === 0 ? homes.database : homes.otherDatabase);
    await scene.processes[place]?.ledger.recover();
  }
  if (process.isDead) throw new Crashed();
}
