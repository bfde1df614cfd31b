import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { silentLog } from "../src/core/log.ts";
import { openDatabase } from "../src/storage/open-database.ts";
import { freshDataDirectory } from "./support/embedded.ts";
import { startGateway } from "./support/gateway.ts";
import { payingCustomer } from "./support/paying-customer.ts";

/** As if it had been asked for, and over, in 2020. */
async function moveToThePast(directory: string, id: string): Promise<string> {
  const oldId = `run_016f5e66e800${id.slice(-20)}`;
  const database = await openDatabase({ directory, log: silentLog });
  await sql`
    insert into runs select (jsonb_populate_record(r, ${JSON.stringify({
      id: oldId,
      call_id: oldId.replace("run_", "call_"),
      created_at: "2020-01-01",
      ended_at: "2020-01-01",
      updated_at: "2020-01-01",
    })}::jsonb)).* from runs r where id = ${id}`.execute(database.kysely);
  await database.kysely.deleteFrom("run_events").where("run_id", "=", id).execute();
  await database.kysely.deleteFrom("runs").where("id", "=", id).execute();
  await database.close();
  return oldId;
}

test("a server removes the runs it is no longer told to keep when it starts; what they cost stays", async (t) => {
  const directory = await freshDataDirectory();
  const startKeeping = (days: number) =>
    startGateway({
      databaseUrl: undefined,
      directory,
      environment: { SKILLBOSS_RUN_RETENTION_DAYS: String(days) },
    });

  let gateway = await startKeeping(30);
  t.after(async () => {
    await gateway.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const customer = await payingCustomer(gateway);
  const { key } = customer;
  for (let count = 0; count < 2; count += 1)
    await customer.run("firecrawl/scrape", { url: "https://example.com/" });
  const [stays, goes] = (await gateway.get(key, "/v1/job")).body.jobs;
  const usage = (await gateway.get(key, "/v1/usage?period=all")).body;
  await gateway.stop();

  const oldId = await moveToThePast(directory, goes.job_id);
  gateway = await startKeeping(0);
  assert.equal((await gateway.get(key, `/v1/job/${oldId}`)).status, 200);
  await gateway.stop();

  gateway = await startKeeping(30);
  while ((await gateway.get(key, `/v1/job/${oldId}`)).status !== 404) await wait(10);
  assert.equal((await gateway.get(key, `/v1/job/${stays.job_id}`)).status, 200);
  assert.deepEqual((await gateway.get(key, "/v1/usage?period=all")).body, usage);
});
