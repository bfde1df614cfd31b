/** What making an account promises when a process dies in the middle of it. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { newId } from "../src/core/ids.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import { openBooks, readBalances } from "../src/ledger/balances.ts";
import { openHomes } from "../src/ledger/ledger-homes.test-support.ts";

const nothing = { available: 0n, held: 0n };

for (const { name, home } of await openHomes()) {
  if (typeof home === "string") {
    test(`accounts on ${name} are made once`, { skip: home }, () => {});
    continue;
  }
  const { database, otherDatabase } = home;
  const accounts = accountsOf(database, openBooks);

  after(() => home.close());

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
  });
}
