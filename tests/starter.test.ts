/** What the first start promises when it is cut off, when another node does it too, and when it was done long ago. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import { systemClock } from "../src/core/clock.ts";
import { newId } from "../src/core/ids.ts";
import { silentLog } from "../src/core/log.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import { keysOf } from "../src/identity/keys.ts";
import { starterSecret } from "../src/identity/operator-token.ts";
import { openBooks } from "../src/ledger/balances.ts";
import { openHome } from "../src/ledger/ledger-homes.test-support.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import { sqlLedger } from "../src/ledger/sql-ledger.ts";
import { ensureStarter } from "../src/starter.ts";
import type { StarterHouse } from "../src/starter.ts";
import type { Database } from "../src/storage/database.ts";

const token = "op-of-this-test";
const shown = { live: starterSecret(token, "live"), test: starterSecret(token, "test") };
const thousand = { available: 1_000_000_000n, held: 0n };

const opened: Ledger[] = [];

type Node = StarterHouse & { readonly database: Database };

function nodeOn(database: Database, operatorToken = token): Node {
  const ledger = sqlLedger({ database, nodeId: newId("node"), clock: systemClock, log: silentLog });
  opened.push(ledger);
  return {
    database,
    accounts: accountsOf(database, openBooks),
    keys: keysOf(database),
    chat: { ledger },
    operatorToken: { token: operatorToken },
  };
}

/** The same node, whose process is gone after so many writes. */
function dyingAfter(writes: number, node: Node): StarterHouse {
  let left = writes;
  const counted =
    <Wish, Answer>(write: (wish: Wish) => Promise<Answer>) =>
    async (wish: Wish): Promise<Answer> => {
      if (left === 0) throw new Error("the process is gone");
      left -= 1;
      return write(wish);
    };
  const { accounts, keys, chat } = node;
  const ledger = Object.create(chat.ledger, {
    grant: { value: counted((grant: Parameters<typeof chat.ledger.grant>[0]) => chat.ledger.grant(grant)) },
  });
  return {
    ...node,
    accounts: {
      ...accounts,
      create: counted((wish: Parameters<typeof accounts.create>[0]) => accounts.create(wish)),
    },
    keys: {
      ...keys,
      issueOnce: counted((wish: Parameters<typeof keys.issueOnce>[0]) => keys.issueOnce(wish)),
    },
    chat: { ledger },
  };
}

/** One owner, one grant and one key per mode, and nothing that the audit minds. */
async function assertOneOwner({ database, accounts, chat }: Node): Promise<string> {
  const [account, ...others] = await accounts.list();
  assert.ok(account !== undefined);
  assert.deepEqual([account.plan, others], ["pro", []]);
  assert.deepEqual(await chat.ledger.balances(account.id), { live: thousand, test: thousand });
  const keys = await database.kysely
    .selectFrom("keys")
    .select(["account_id", "mode"])
    .orderBy("mode")
    .execute();
  const { id: account_id } = account;
  assert.deepEqual(keys, [
    { account_id, mode: "live" },
    { account_id, mode: "test" },
  ]);
  assert.deepEqual((await chat.ledger.audit()).faults, []);
  return account.id;
}

/** What a version that gave the owner an id of chance has left behind. */
async function earlierOwner({ accounts, chat, keys }: Node): Promise<string> {
  const { id: accountId } = await accounts.create({ name: "owner", plan: "pro" });
  for (const mode of ["live", "test"] as const) {
    const id = `grant_starter_${mode}_${accountId}`;
    await chat.ledger.grant({ id, accountId, mode, amount: thousand.available, reason: "starter credits" });
    await keys.issue({ accountId, mode, name: "starter", secret: shown[mode] });
  }
  return accountId;
}

for (const name of ["embedded", "postgres"] as const) {
  const guarantee = (sentence: string, check: (node: Node, other: Database) => Promise<void>): void => {
    test(sentence, async (t: TestContext) => {
      const home = await openHome(name);
      if (typeof home === "string") return t.skip(home);
      t.after(async () => {
        for (const ledger of opened.splice(0)) await ledger.stop();
        await home.close();
      });
      await check(nodeOn(home.database), home.otherDatabase);
    });
  };

  describe(`the first start on ${name}`, () => {
    for (let writes = 1; writes <= 4; writes += 1)
      guarantee(`cut off after step ${writes} of 5 it is ended by the next`, async (node) => {
        await assert.rejects(ensureStarter(dyingAfter(writes, node)), /the process is gone/);
        assert.deepEqual(await ensureStarter(node), shown);
        await assertOneOwner(node);
      });

    guarantee(
      "an owner that an earlier version left without books, credits and keys gets them",
      async (node) => {
        const id = newId("acc");
        await node.database.kysely
          .insertInto("accounts")
          .values({ id, name: "owner", plan: "pro" })
          .execute();
        assert.deepEqual(await ensureStarter(node), shown);
        assert.equal(await assertOneOwner(node), id);
      },
    );

    guarantee(
      "two nodes that start first at once, each with a token of its own, make one owner, and both go on",
      async (node, database) => {
        let looked = 0;
        const haveLooked = Promise.withResolvers<void>();
        const inStep = (one: Node): StarterHouse => ({
          ...one,
          accounts: {
            ...one.accounts,
            async named(wanted) {
              const found = await one.accounts.named(wanted);
              looked += 1;
              if (looked === 2) haveLooked.resolve();
              await haveLooked.promise;
              return found;
            },
          },
        });
        const other = nodeOn(database, "op-of-the-other-node");
        await Promise.all([ensureStarter(inStep(node)), ensureStarter(inStep(other))]);
        await assertOneOwner(node);
      },
    );

    guarantee(
      "two nodes with one token that start first at once both show the two keys",
      async (node, database) => {
        const both = [node, nodeOn(database)].map((each) => ensureStarter(each));
        assert.deepEqual(await Promise.all(both), [shown, shown]);
        await assertOneOwner(node);
      },
    );

    guarantee(
      "an owner that an earlier version made stays as it is, with its id, credits and keys",
      async (node) => {
        const id = await earlierOwner(node);
        assert.deepEqual(await ensureStarter(node), shown);
        assert.equal(await assertOneOwner(node), id);
      },
    );

    guarantee(
      "a starter key that was revoked does not come back, also not under another operator token",
      async (node) => {
        const id = await earlierOwner(node);
        for (const { id: keyId, mode } of await node.keys.list(id))
          if (mode === "live") await node.keys.revoke(keyId);
        assert.deepEqual(await ensureStarter(node), { test: shown.test });
        assert.deepEqual(await ensureStarter(nodeOn(node.database, "op-another")), {});
        assert.equal((await node.keys.list(id)).length, 1);
      },
    );

    guarantee("an owner that was given another name is not made again", async (node) => {
      await ensureStarter(node);
      const [account] = await node.accounts.list();
      await node.accounts.change(account?.id ?? "", { name: "Ada" });
      assert.deepEqual(await ensureStarter(node), shown);
      await assertOneOwner(node);
    });
  });
}
