/** What making an account promises when a process dies in the middle of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, describe, test } from "node:test";
import { keptAnswersOf } from "../src/calls/idempotency/sql-kept-answers.ts";
import { systemClock } from "../src/core/clock.ts";
import { newId } from "../src/core/ids.ts";
import { silentLog } from "../src/core/log.ts";
import { accountDoors } from "../src/http/admin-accounts.ts";
import { frontServer } from "../src/http/server.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import type { Accounts } from "../src/identity/accounts.ts";
import { doorkeeper } from "../src/identity/doorkeeper.ts";
import { openBooks, readBalances } from "../src/ledger/balances.ts";
import { openHomes } from "../src/ledger/ledger-homes.test-support.ts";
import { sqlLedger } from "../src/ledger/sql-ledger.ts";

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
type Told = { readonly status: number; readonly body: any };

const operatorToken = "op-of-this-test";
const nothing = { available: 0n, held: 0n };

function die(): never {
  throw new Error("the process is gone");
}

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`accounts on ${name} are made once`, { skip: home }, () => {});
    continue;
  }
  const { database, otherDatabase } = home;
  const accounts = accountsOf(database, openBooks);
  const ledger = sqlLedger({ database, nodeId: newId("node"), clock: systemClock, log: silentLog });
  const ends: (() => Promise<void>)[] = [];

  after(async () => {
    for (const end of ends) await end();
    await ledger.stop();
    await home.close();
  });

  /** A node with the operator's doors to accounts; it answers with the status and what it made. */
  async function nodeWith(made: Accounts): Promise<(key: string, body: object) => Promise<Told>> {
    const keeper = doorkeeper({ database, clock: systemClock, operatorToken });
    const answers = keptAnswersOf({ database, nodeId: newId("node"), log: silentLog });
    const server = frontServer({
      doors: accountDoors({ accounts: made, ledger, doorkeeper: keeper }),
      doorkeeper: keeper,
      log: silentLog,
      maxBodyBytes: 10_000,
      answers,
      headersFor: async () => ({}),
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    ends.push(async () => {
      server.close().closeAllConnections();
      await answers.stop();
    });
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    return async (key, body) => {
      const response = await fetch(`http://127.0.0.1:${address.port}/admin/v1/accounts`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${operatorToken}`,
          "content-type": "application/json",
          "idempotency-key": key,
        },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    };
  }

  describe(`accounts on ${name}`, () => {
    test("an account and its books are made together: cut in between, there is neither", async () => {
      const cut = accountsOf(database, () => Promise.reject(new Error("the process is gone")));
      await assert.rejects(cut.create({ name: "ada" }), /the process is gone/);
      assert.equal(await accounts.named("ada"), undefined);
    });

    test("an account has empty books of both modes from its first moment", async () => {
      const { id } = await accounts.create({ name: "bob" });
      assert.deepEqual(await readBalances(database, [id]), new Map([[id, { live: nothing, test: nothing }]]));
    });

    test("an id is taken once: who asks for it again, or at the same time elsewhere, gets the first account as it is", async () => {
      const id = newId("acc");
      const elsewhere = accountsOf(otherDatabase, openBooks);
      const both = await Promise.all([
        accounts.create({ id, name: "eva", plan: "pro" }),
        elsewhere.create({ id, name: "eva", plan: "pro" }),
      ]);
      assert.deepEqual(both[0], both[1]);
      await accounts.change(id, { plan: "starter" });
      const again = await accounts.create({ id, name: "max", plan: "pro" });
      assert.deepEqual(again, { ...both[0], plan: "starter", limits: again.limits });
      assert.equal((await accounts.list()).filter((account) => account.name === "eva").length, 1);
    });

    test("C-09 a request with an Idempotency-Key that was cut off when its account was made makes no second one", async () => {
      const wish = { name: "iris", plan: "starter", limits: { requests_per_minute: 7 } };
      const cut = await nodeWith({
        ...accounts,
        create: (wanted) => accounts.create(wanted).then(die),
      });
      assert.equal((await cut("make-iris", wish)).status, 500);
      const made = await accounts.named("iris");
      const next = await nodeWith(accounts);
      const again = await next("make-iris", wish);
      assert.deepEqual([again.status, again.body.id], [201, made?.id]);
      assert.deepEqual(await next("make-iris", wish), again);
      assert.equal((await accounts.list()).filter((account) => account.name === "iris").length, 1);
    });

    test("another key, or another wish under the key of a request that was cut off, is another account", async () => {
      const ask = await nodeWith(accounts);
      const cut = await nodeWith({ ...accounts, create: (wanted) => accounts.create(wanted).then(die) });
      await cut("first", { name: "uma" });
      const others = [await ask("first", { name: "ute" }), await ask("second", { name: "uma" })];
      assert.deepEqual(
        others.map(({ status, body }) => [status, body.name]),
        [
          [201, "ute"],
          [201, "uma"],
        ],
      );
      assert.equal((await accounts.list()).filter((account) => account.name === "uma").length, 2);
    });
  });
}
