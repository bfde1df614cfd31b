/** What customers are told, and what it costs them, when the database answers that it cannot do what it is asked. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { hello, startChat } from "./support/chat-exchange.ts";
import { endsClean } from "./support/clean-end.ts";
import { ok } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { askWithLimits, minuteOf } from "./support/limit-answers.ts";
import { startPostgres } from "./support/postgres.ts";

type Scene = {
  readonly upstream: FakeUpstream;
  readonly gateway: Gateway;
  readonly database: pg.Client;
  readonly databaseUrl: string;
};

let scene: Scene | string;

before(async () => {
  const postgres = await startPostgres();
  if ("skipped" in postgres) {
    scene = postgres.skipped;
    return;
  }
  const databaseUrl = await postgres.freshDatabase();
  const upstream = await startFakeUpstream();
  const gateway = await startGateway({ p1: upstream.baseUrl, databaseUrl });
  scene = { upstream, gateway, databaseUrl, database: new pg.Client({ connectionString: databaseUrl }) };
  await scene.database.connect();
});
after(async () => {
  if (typeof scene === "string") return;
  await scene.database.end();
  await endsClean(scene.gateway, scene.upstream);
  const postgres = await startPostgres();
  if (!("skipped" in postgres)) await postgres.stop();
});

function guarantee(name: string, check: (scene: Scene) => Promise<void>): void {
  test(name, (t: TestContext) => (typeof scene === "string" ? t.skip(scene) : check(scene)));
}

/** What a database does whose disk is full: it reads, and answers at once that it cannot write. */
const fillDisk = (table: string): string => `
  create or replace function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
  create trigger full_disk before insert on ${table} for each row execute function refuse()`;

guarantee(
  "L-08 a chat that is refused because nothing can be held uses up nothing of the minute",
  async ({ upstream, gateway, database }) => {
    upstream.script("m-chat", ok());
    const { key } = await gateway.customer({ rpm: 5 });
    await database.query(fillDisk("holds"));
    try {
      for (let call = 1; call <= 10; call += 1) {
        const answer = await askWithLimits(gateway, key, { stream: call % 2 === 0 });
        assert.deepEqual([answer.status, answer.error.code], [503, "service_unavailable"], `call ${call}`);
        assert.equal(answer.told.remaining, 5);
      }
    } finally {
      await database.query("drop trigger full_disk on holds");
    }
    assert.equal((await askWithLimits(gateway, key)).status, 200);
    assert.equal((await minuteOf(gateway, key)).remaining, 4);
    assert.equal(upstream.log.length, 1);
  },
);

guarantee(
  "a run that cannot be written down is refused as the server's passing fault, and holds nothing",
  async ({ gateway, database }) => {
    const customer = await gateway.customer({ mode: "test" });
    await database.query(fillDisk("runs"));
    const headers = { authorization: `Bearer ${customer.key}`, "content-type": "application/json" };
    const body = JSON.stringify({ model: "flux-1.1-pro", inputs: { prompt: "A fox" } });
    const run = () => fetch(`${gateway.url}/v1/run`, { method: "POST", headers, body });
    try {
      const refused = await run();
      const { error } = JSON.parse(await refused.text());
      assert.deepEqual([refused.status, error.code], [503, "service_unavailable"]);
      assert.equal(refused.headers.get("retry-after"), "1");
    } finally {
      await database.query("drop trigger full_disk on runs");
    }
    const { rows } = await database.query("select from holds");
    assert.equal(rows.length, 0);
    assert.equal((await run()).status, 200);
  },
);

guarantee(
  "letters behind which the disk is full are told one by one: asked again, those that went out would go out twice",
  async ({ gateway, database }) => {
    const customer = await gateway.customer({ mode: "test" });
    await database.query("create sequence written");
    await database.query(`create or replace function refuse() returns trigger language plpgsql as $$ begin
      if nextval('written') > 1 then raise exception 'no space left' using errcode = 'disk_full'; end if;
      return new; end $$`);
    await database.query(
      "create trigger full_disk before insert on runs for each row execute function refuse()",
    );
    const headers = { authorization: `Bearer ${customer.key}`, "content-type": "application/json" };
    const receivers = ["a@example.com", "b@example.com", "c@example.com"].map((email) => ({
      email,
      variables: { name: email },
    }));
    const body = JSON.stringify({ title: "Hi {{name}}", body_html: "<p>Hi</p>", receivers });
    try {
      const answer = await fetch(`${gateway.url}/v1/send-emails`, { method: "POST", headers, body });
      const sent = JSON.parse(await answer.text());
      assert.deepEqual([answer.status, sent.sent, sent.not_sent], [200, 1, 2]);
      assert.equal(sent.results[1].error_code, "service_unavailable");
    } finally {
      await database.query("drop trigger full_disk on runs");
    }
  },
);

guarantee(
  "a node that starts from a copy of another's data directory ends none of that one's calls",
  async ({ upstream, gateway, database, databaseUrl }) => {
    upstream.script("m-chat", ok({ tokens: 400, everyMs: 50 }));
    const { key } = await gateway.customer();
    const body = { model: "m-chat", messages: hello, stream: true, max_tokens: 400 };
    const call = startChat({ url: gateway.url, key, body });
    await call.answered;
    const directory = mkdtempSync(join(tmpdir(), "skillboss-copy-"));
    cpSync(gateway.directory, directory, { recursive: true });
    // On another machine they would say nothing.
    rmSync(join(directory, "lock"), { recursive: true });
    const copy = await startGateway({ p1: upstream.baseUrl, databaseUrl, directory });
    try {
      const { rows } = await database.query("select call_id from holds");
      assert.deepEqual(rows, [{ call_id: call.callId }]);
    } finally {
      call.leave("RST");
      await endsClean(copy);
      rmSync(directory, { recursive: true });
    }
    await until(async () => (await database.query("select from holds")).rows.length === 0);
    const { rows } = await database.query("select ending from receipts where call_id = $1", [call.callId]);
    assert.deepEqual(rows, [{ ending: "aborted" }]);
  },
);

guarantee(
  "a page that fails does not say that nothing was charged: it may be the one that tells what was",
  async ({ gateway, database }) => {
    const { key } = await gateway.customer();
    await database.query("alter table receipts rename to away");
    try {
      for (const page of ["/v1/usage", "/api/me/usage"]) {
        const { status, body } = await gateway.get(key, page);
        assert.deepEqual([status, body.error.code], [500, "internal_error"]);
        assert.equal(body.error.message, "Something went wrong on our side.");
      }
    } finally {
      await database.query("alter table away rename to receipts");
    }
    assert.equal((await gateway.get(key, "/v1/usage")).status, 200);
  },
);

guarantee(
  "while the database only reads, what has to be written is refused as passing, and is taken once it writes again",
  async ({ upstream, gateway, database }) => {
    upstream.script("m-chat", ok());
    const { key, accountId } = await gateway.customer();
    const name = database.database ?? "";
    // As a failover does: sessions end, and those that follow meet a standby until they are given up.
    await database.query(`alter database ${name} set default_transaction_read_only = on`);
    try {
      await database.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
        [name],
      );
      await until(async () => (await gateway.get(key, "/v1/usage")).status === 200);
      const account = `/accounts/${accountId}`;
      for (const [path, body] of [
        ["/accounts", { name: "late" }],
        [`${account}/keys`, { mode: "live" }],
        [`${account}/credits`, { mode: "live", credits: "1", reason: "test" }],
      ] as const) {
        const { status, body: answer, headers } = await gateway.admin("POST", path, body);
        assert.deepEqual([status, answer.error.code], [503, "service_unavailable"], path);
        assert.equal(headers.get("retry-after"), "1");
      }
      assert.equal((await askWithLimits(gateway, key)).status, 503);
      assert.equal((await gateway.get(key, "/ready")).status, 503);
    } finally {
      await database.query(`alter database ${name} reset default_transaction_read_only`);
    }
    await until(async () => (await askWithLimits(gateway, key)).status === 200);
    await until(async () => (await gateway.get(key, "/ready")).status === 200);
  },
);

/** The sessions that began while the database only read are found one after the other. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, "it did not happen in 20 s");
    await wait(50);
  }
}
