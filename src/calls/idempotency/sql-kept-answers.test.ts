import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { sql } from "kysely";
import { startPostgres } from "../../../tests/support/postgres.ts";
import { systemClock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { silentLog } from "../../core/log.ts";
import type { Receipt } from "../../core/receipt.ts";
import { addAccount, openHome, openHomes } from "../../ledger/ledger-homes.test-support.ts";
import { holdOf, problem, receiptOf } from "../../ledger/ledger-under-test.ts";
import { sqlLedger } from "../../ledger/sql-ledger.ts";
import { DatabaseUnavailable } from "../../storage/database.ts";
import type { Database } from "../../storage/database.ts";
import { runStoreOf } from "../runs/sql-run-store.ts";
import { assertOneCharge } from "./interleaved-duplicates.test-support.ts";
import type { Claimed, ClaimWish, KeptAnswer } from "./kept-answers.ts";
import { keptAnswersOf } from "./sql-kept-answers.ts";
import type { KeptAnswersOptions } from "./sql-kept-answers.ts";

const server = await startPostgres({ own: true });

/** A request that nobody made before. */
function wishOf(more: Partial<ClaimWish> = {}): ClaimWish {
  const requestId = newId("req");
  return {
    scope: "acc_1 live POST /v1/run",
    key: `key ${requestId}`,
    requestId,
    callId: requestId.replace("req_", "call_"),
    bodyHash: Buffer.alloc(32, 1),
    ...more,
  };
}

/** The same request, sent again. */
function again({ scope, key, bodyHash }: ClaimWish): ClaimWish {
  return wishOf({ scope, key, bodyHash });
}

function answerOf(body: Buffer | undefined = Buffer.from("{}"), status = 200): KeptAnswer {
  return { status, headers: { "content-type": "application/json" }, body };
}

function stateOf({ state }: Claimed): Claimed["state"] {
  return state;
}

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`kept answers on ${name}`, { skip: home }, () => {});
    continue;
  }
  describe(`kept answers on ${name}`, { timeout: 60_000 }, () => {
    const { database, otherDatabase } = home;
    const nodeId = newId("node");
    const ledger = sqlLedger({ database, nodeId, clock: systemClock, log: silentLog });
    const answers = keptAnswersOf({ database, nodeId, log: silentLog });
    const used: { stop(): Promise<void> }[] = [answers, ledger];
    after(async () => {
      for (const one of used) await one.stop();
      await home.close();
    });

    function another(options: Partial<KeptAnswersOptions> = {}) {
      const made = keptAnswersOf({
        database: otherDatabase,
        nodeId: newId("node"),
        log: silentLog,
        ...options,
      });
      used.push(made);
      return made;
    }

    async function seen(node: string, agoMs: number): Promise<void> {
      await sql`insert into nodes values (${node}, clock_timestamp() - ${agoMs}::bigint * interval '1 millisecond')
        on conflict (id) do update set seen_at = excluded.seen_at`.execute(database.kysely);
    }

    /** A call that holds 100 of an account of its own. */
    async function heldCall({ callId }: ClaimWish): Promise<(fields: Partial<Receipt>) => Promise<void>> {
      const accountId = await addAccount(database);
      await ledger.grant({ id: newId("grant"), accountId, mode: "live", amount: 1_000n, reason: "" });
      const request = holdOf(accountId, { callId });
      assert.equal((await ledger.hold(request)).held, 100n);
      return async (fields) => void (await ledger.close(receiptOf(request, 0n, fields)));
    }

    test("of many that claim a key at once one gets it; the others hear that it runs, another body that it is taken", async () => {
      const wish = wishOf();
      const asked = Array.from({ length: 20 }, (_, index) =>
        index % 5 === 4 ? { ...again(wish), bodyHash: Buffer.alloc(32, 2) } : again(wish),
      );
      const states = (await Promise.all(asked.map((each) => answers.claim(each)))).map(stateOf);
      assert.equal(states.filter((state) => state === "claimed").length, 1);
      const first = states.indexOf("claimed");
      const isOther = (index: number): boolean => (index % 5 === 4) !== (first % 5 === 4);
      for (const [index, state] of states.entries())
        if (index !== first) assert.equal(state, isOther(index) ? "reused" : "running");
    });

    test("a kept answer is given again as it was, byte for byte, and for its own scope and key only", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      const body = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
      const answer = { status: 202, headers: { location: "/v1/job/1", "content-type": "audio/mpeg" }, body };
      await answers.end(wish, answer);
      for (const node of [answers, another()]) {
        const claimed = await node.claim(again(wish));
        assert.deepEqual(claimed, { state: "answered", callId: wish.callId, answer });
      }
      const others = [
        { ...again(wish), scope: "acc_1 test POST /v1/run" },
        { ...again(wish), key: wish.key.toUpperCase() },
      ];
      for (const other of others) assert.equal(stateOf(await answers.claim(other)), "claimed");
      const changed = { ...again(wish), bodyHash: Buffer.alloc(32, 2) };
      assert.equal(stateOf(await answers.claim(changed)), "reused");
    });

    test("a claim that ends without an answer and without a charge frees its key at once, for any body", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      await answers.end(wish, undefined);
      const next = { ...again(wish), bodyHash: Buffer.alloc(32, 2) };
      assert.equal(stateOf(await answers.claim(next)), "claimed");
      // Ending what is ended already takes nothing from whoever came next.
      await answers.end(wish, undefined);
      await answers.end(wish, answerOf());
      assert.equal(stateOf(await answers.claim({ ...next, requestId: newId("req") })), "running");
    });

    test("a claim that took effect though its answer was lost is let go, and an end that was is not done twice", async () => {
      let isLosing = true;
      const losing: Database = {
        ...database,
        run: async (statement, parameters) => {
          const rows = await database.run(statement, parameters);
          if (isLosing) throw new DatabaseUnavailable(new Error("test"));
          return rows;
        },
      };
      const lossy = another({ database: losing });
      const [claimed, answered] = [wishOf(), wishOf()];
      await assert.rejects(lossy.claim(claimed), problem("service_unavailable"));
      isLosing = false;
      await lossy.claim(answered);
      isLosing = true;
      await lossy.end(answered, answerOf());
      isLosing = false;
      await lossy.stop();
      assert.equal(stateOf(await lossy.claim(again(claimed))), "claimed");
      assert.equal(stateOf(await lossy.claim(again(answered))), "answered");
    });

    test("what was charged is never free again: while it is held it runs, then its charge is told", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      const close = await heldCall(wish);
      await answers.end(wish, undefined);
      assert.equal(stateOf(await answers.claim(again(wish))), "running");
      await close({ cost: 7n, ending: "aborted" });
      const told = { state: "charged", callId: wish.callId, cost: 7n };
      assert.deepEqual(await answers.claim(again(wish)), told);
      const changed = { ...again(wish), bodyHash: Buffer.alloc(32, 2) };
      assert.equal(stateOf(await answers.claim(changed)), "reused");
    });

    test("a call that was closed without a charge leaves its key free", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      const close = await heldCall(wish);
      await answers.end(wish, undefined);
      await close({ ending: "failed" });
      assert.equal(stateOf(await answers.claim(again(wish))), "claimed");
    });

    test("an answer that broke off is not kept: charged it is told so, not charged the key is free", async () => {
      for (const [ending, cost, state] of [
        ["aborted", 5n, "charged"],
        ["failed", 0n, "claimed"],
        ["done", 5n, "answered"],
        ["empty", 0n, "answered"],
      ] as const) {
        const wish = wishOf();
        await answers.claim(wish);
        await (
          await heldCall(wish)
        )({ ending, cost });
        await answers.end(wish, answerOf(Buffer.from("data: …\n\n")));
        assert.equal(stateOf(await answers.claim(again(wish))), state, ending);
      }
    });

    test("a failure whose outcome nobody knows is kept, and stays bound when its answer is lost", async () => {
      const kept = wishOf();
      await answers.claim(kept);
      await (
        await heldCall(kept)
      )({ ending: "failed", problem: "outcome_unknown" });
      await answers.end(kept, answerOf(Buffer.from("{}"), 502));
      assert.equal(stateOf(await answers.claim(again(kept))), "answered");
      const lost = wishOf();
      await answers.claim(lost);
      await endRun(await addRun(lost));
      await (
        await heldCall(lost)
      )({ ending: "failed", problem: "outcome_unknown" });
      await answers.end(lost, undefined);
      assert.equal(stateOf(await answers.claim(again(lost))), "begun");
    });

    test("a run that failed and cost nothing leaves its key free", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      await endRun(await addRun(wish));
      await (
        await heldCall(wish)
      )({ ending: "failed", problem: "run_failed" });
      await answers.end(wish, undefined);
      assert.equal(stateOf(await answers.claim(again(wish))), "claimed");
    });

    test("an answer without a body is told as one, and not given away again", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      const answer = { ...answerOf(), body: undefined };
      await answers.end(wish, answer);
      assert.deepEqual(await answers.claim(again(wish)), { state: "answered", callId: wish.callId, answer });
    });

    async function addRun({ callId }: ClaimWish): Promise<string> {
      const id = callId.replace("call_", "run_");
      await runStoreOf(database, nodeId).insert({
        ...{ id, callId, accountId: "acc_1", keyId: "key_1", mode: "live", plan: "pro" },
        ...{ model: "m", modelId: "m", category: "image", inputs: {}, price: {}, creditUsd: "0.05" },
        ...{ webhookUrl: undefined, publicUrl: "http://127.0.0.1" },
      });
      return id;
    }

    async function endRun(runId: string): Promise<void> {
      const over = { state: "over", ending: "done" } as const;
      await database.kysely.updateTable("runs").set(over).where("id", "=", runId).execute();
    }

    test("a run whose request never answered is answered from its row, by one at a time, and never begun again", async () => {
      for (const lost of [undefined, { ...answerOf(), body: undefined }]) {
        const wish = wishOf();
        await answers.claim(wish);
        const runId = await addRun(wish);
        await answers.end(wish, lost);
        assert.equal(stateOf(await answers.claim(again(wish))), "running");
        await endRun(runId);
        const [second, third] = [again(wish), again(wish)];
        const begun = await answers.claim(second);
        assert.ok(begun.state === "begun");
        assert.equal(begun.runId, runId);
        assert.equal(stateOf(await answers.claim(third)), "running");
        await answers.end(begun.claim, answerOf());
        assert.equal(stateOf(await answers.claim(third)), "answered");
      }
    });

    test("an answer is as good as none after a day, and is forgotten then", async () => {
      const [old, young] = [wishOf(), wishOf()];
      for (const wish of [old, young]) {
        await answers.claim(wish);
        await answers.end(wish, answerOf());
      }
      const age = async (hours: number, minutes: number): Promise<void> => {
        await sql`update idempotent_answers set created_at = clock_timestamp() - make_interval(hours => ${hours}, mins => ${minutes})
          where key = ${old.key}`.execute(database.kysely);
      };
      await age(23, 59);
      assert.equal(await answers.sweep(), 0);
      assert.equal(stateOf(await answers.claim(again(old))), "answered");
      await age(24, 1);
      const anew = again(old);
      assert.equal(stateOf(await answers.claim(anew)), "claimed");
      await answers.end(anew, answerOf());
      await age(24, 1);
      assert.equal(await answers.sweep(), 1);
      assert.equal(stateOf(await answers.claim(again(young))), "answered");
    });

    test("what an upload brought comes with its answer, and not with that of a later one under the same key", async () => {
      const wish = wishOf();
      await answers.claim(wish);
      const upload = { ...answerOf(), contentHash: Buffer.alloc(32, 9) };
      await answers.end(wish, upload);
      assert.deepEqual(await answers.claim(again(wish)), {
        state: "answered",
        callId: wish.callId,
        answer: upload,
      });
      await sql`update idempotent_answers set created_at = clock_timestamp() - interval '25 hours'
        where key = ${wish.key}`.execute(database.kysely);
      const later = again(wish);
      assert.equal(stateOf(await answers.claim(later)), "claimed");
      await answers.end(later, answerOf());
      const told = { state: "answered", callId: later.callId, answer: answerOf() };
      assert.deepEqual(await answers.claim(again(wish)), told);
    });

    test("the claim of a process that is gone is anybody's; of one that lives, nobody's", async () => {
      const [living, silent, unknown, dead] = ["living", "silent", "unknown", "dead"].map(
        (word) => `${newId("node")}_${word}`,
      );
      assert.ok(living !== undefined && silent !== undefined && unknown !== undefined && dead !== undefined);
      await seen(living, 0);
      await seen(silent, 40_000);
      await seen(dead, 0);
      const patient = another({ deadNodes: [dead] });
      // The usual patience would begin anew with a server that was started less than that ago.
      const impatient = another({ deadNodes: [dead], goneAfterMs: 1 });
      for (const [node, judge, state] of [
        [living, patient, "running"],
        [silent, impatient, "claimed"],
        [unknown, patient, "claimed"],
        [dead, patient, "claimed"],
      ] as const) {
        const wish = wishOf();
        await another({ nodeId: node }).claim(wish);
        assert.equal(stateOf(await judge.claim(again(wish))), state, node);
      }
    });

    test("where one process alone can have the database, every earlier one is gone", async () => {
      const wish = wishOf();
      const earlier = newId("node");
      await seen(earlier, 0);
      await another({ nodeId: earlier }).claim(wish);
      assert.equal(stateOf(await another({ deadNodes: "all-others" }).claim(again(wish))), "claimed");
    });

    test(
      "C-09 however duplicates, failures and crashes interleave, one is charged and all answers are its",
      { timeout: 60_000 },
      () => assertOneCharge({ database, otherDatabase }),
    );
  });
}

const skip = "skipped" in server ? server.skipped : !server.isOurs && "the server is not ours to end";

test(
  "while the database is away a claim is 503; ends are remembered and written when it is back",
  { skip, timeout: 60_000 },
  async () => {
    assert.ok(!("skipped" in server));
    const home = await openHome("postgres");
    assert.ok(typeof home !== "string");
    const answers = keptAnswersOf({ database: home.database, nodeId: newId("node"), log: silentLog });
    const [answered, freed, refused] = [wishOf(), wishOf(), wishOf()];
    await answers.claim(answered);
    await answers.claim(freed);
    await server.kill();
    await assert.rejects(answers.claim(refused), problem("service_unavailable"));
    await Promise.all([answers.end(answered, answerOf()), answers.end(freed, undefined)]);
    await server.restart();
    const becomes = async (wish: ClaimWish, state: Claimed["state"]): Promise<void> => {
      for (const giveUpAt = performance.now() + 30_000; ;) {
        const now = await answers.claim(again(wish)).then(stateOf, () => "away");
        if (now === state) return;
        assert.ok(performance.now() < giveUpAt && ["running", "away"].includes(now), now);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await becomes(answered, "answered");
    await becomes(freed, "claimed");
    await becomes(refused, "claimed");
    await answers.stop();
    await home.close();
  },
);

after(async () => {
  if (!("skipped" in server)) await server.stop();
});
