/** Case T-02 of the test plan for what the door remembers of keys. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnableClock } from "../src/core/clock.ts";
import { accountsOf } from "../src/identity/accounts.ts";
import { doorkeeper } from "../src/identity/doorkeeper.ts";
import { keysOf, secretOf } from "../src/identity/keys.ts";
import { openHome } from "../src/ledger/ledger-homes.test-support.ts";

test("T-02 keys that begin alike are different keys, also while one of them is remembered, and a revoked one opens nothing", async (t) => {
  const home = await openHome("embedded");
  if (typeof home === "string") return t.skip(home);
  t.after(() => home.close());
  const { database } = home;
  const clock = new TurnableClock(0);
  const [accounts, keys] = [accountsOf(database, async () => undefined), keysOf(database)];
  const door = doorkeeper({ database, clock, operatorToken: "op-x" });
  const secrets = [1, 2, 3].map((end) => secretOf("live", Buffer.concat([Buffer.alloc(31), Buffer.of(end)])));
  assert.equal(new Set(secrets.map((secret) => secret.slice(0, 20))).size, 1);
  const owners: string[] = [];
  const ids: string[] = [];
  for (const secret of secrets.slice(0, 2)) {
    const { id: accountId } = await accounts.create({ name: "ada", plan: "pro" });
    owners.push(accountId);
    ids.push((await keys.issue({ accountId, mode: "live", secret })).key.id);
  }
  const ownerOf = async (secret: string) => (await door.callerOf(`Bearer ${secret}`)).accountId;
  const [first = "", second = "", nobodys = ""] = secrets;
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual([await ownerOf(first), await ownerOf(second)], owners);
    await assert.rejects(ownerOf(nobodys), { code: "invalid_api_key" });
  }
  await keys.revoke(ids[0] ?? "");
  clock.turn({ seconds: 1 });
  await assert.rejects(ownerOf(first), { code: "invalid_api_key" });
  assert.equal(await ownerOf(second), owners[1]);
});
