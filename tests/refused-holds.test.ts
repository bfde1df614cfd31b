import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { endsClean } from "./support/clean-end.ts";
import { ok } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import { askWithLimits, minuteOf } from "./support/limit-answers.ts";
import { startPostgres } from "./support/postgres.ts";

/** What a database does whose disk is full: it reads, and answers at once that it cannot write. */
const fillDisk = `
  create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
  create trigger full_disk before insert on holds for each row execute function refuse()`;

test("L-08 a chat that is refused because nothing can be held uses up nothing of the minute", async (t) => {
  const postgres = await startPostgres();
  if ("skipped" in postgres) return t.skip(postgres.skipped);
  const databaseUrl = await postgres.freshDatabase();
  const upstream = await startFakeUpstream();
  upstream.script("m-chat", ok());
  const gateway = await startGateway({ p1: upstream.baseUrl, databaseUrl });
  const database = new pg.Client({ connectionString: databaseUrl });
  t.after(async () => {
    await database.end();
    await endsClean(gateway, upstream);
    await postgres.stop();
  });
  const { key } = await gateway.customer({ rpm: 5 });
  await database.connect();
  await database.query(fillDisk);
  for (let call = 1; call <= 10; call += 1) {
    const answer = await askWithLimits(gateway, key, { stream: call % 2 === 0 });
    assert.deepEqual([answer.status, answer.error.code], [503, "service_unavailable"], `call ${call}`);
    assert.equal(answer.told.remaining, 5);
  }
  await database.query("drop trigger full_disk on holds");
  assert.equal((await askWithLimits(gateway, key)).status, 200);
  assert.equal((await minuteOf(gateway, key)).remaining, 4);
  assert.equal(upstream.log.length, 1);
});
