import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freshDataDirectory } from "./support/embedded.ts";
import { eventually } from "./support/fake-upstream.ts";
import { freshDatabaseHere } from "./support/postgres.ts";
import { runProgram, runShell, startProgram } from "./support/program.ts";

/** What a start says, to people and to programs, when all is well and when it is not. */
const made: string[] = [];
after(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** With an empty database in it, which saves a start the time to make one. */
async function readyDirectory(): Promise<string> {
  const directory = await freshDataDirectory();
  made.push(directory);
  return directory;
}

function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "skillboss-screen-"));
  made.push(directory);
  return directory;
}

test("the commands that a server without accounts prints work as printed, one after the other", async () => {
  const program = startProgram(["serve"], { SKILLBOSS_DATA_DIR: await readyDirectory(), PORT: "0" });
  const [screen] = await program.says(/^ {2}SkillBoss is running[^]*curl .*\n/m);
  assert.match(screen, /Live key +none yet/);
  const commands = [...screen.matchAll(/^ {2}(.*npm run -s skillboss -- .*)$/gm)].map(
    ([, line = ""]) => line,
  );
  assert.equal(commands.length, 5, screen);
  const outputs: string[] = [];
  for (const command of commands) {
    const { code, output, errors } = await runShell(command);
    assert.equal(code, 0, `${command}\n${errors}`);
    outputs.push(output);
  }
  const [key = ""] = /sk-test-\S+/.exec(outputs.join("\n")) ?? [];
  const curl = /^ *(curl .*)$/m.exec(screen)?.[1] ?? "";
  const { output } = await runShell(curl, { SKILLBOSS_API_KEY: key });
  assert.equal(JSON.parse(output).object, "chat.completion");
  await program.stop();
});

test("a bucket for files that cannot be read is told at the start, by its name and without its secret", async () => {
  const program = startProgram(["serve", "--json"], {
    SKILLBOSS_DATA_DIR: await readyDirectory(),
    PORT: "0",
    SKILLBOSS_S3_BUCKET: "our-files",
    SKILLBOSS_S3_ENDPOINT: "http://127.0.0.1:9",
    SKILLBOSS_S3_ACCESS_KEY_ID: "id",
    SKILLBOSS_S3_SECRET_ACCESS_KEY: "whisper",
  });
  await program.says(/\n/);
  await eventually(() => program.errors().includes("the bucket for files cannot be read"), 20_000);
  assert.match(program.errors(), /"bucket":"our-files"/);
  assert.doesNotMatch(program.errors(), /whisper/);
  assert.equal((await program.stop()).code, 0);
});

test("serve --json prints one line of JSON: address, keys, where the token lies, providers", async () => {
  const directory = await readyDirectory();
  const program = startProgram(["serve", "--starter", "--json"], {
    SKILLBOSS_DATA_DIR: directory,
    PORT: "0",
    OPENAI_API_KEY: "k",
  });
  await program.says(/\n/);
  const told = JSON.parse(program.output());
  assert.equal(program.output().trim().split("\n").length, 1);
  assert.match(told.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(told.base_url, `${told.url}/v1`);
  assert.match(told.keys.live, /^sk-/);
  assert.match(told.keys.test, /^sk-test-/);
  assert.equal(told.operator_token, join(directory, "operator-token"));
  assert.deepEqual(told.providers, ["openai"]);
  await program.stop();
});

test("nodes on one database that are given one operator token take the same operator and show the same keys", async (t) => {
  const database = await freshDatabaseHere();
  if (database === undefined) return t.skip("skipped: no PostgreSQL binaries");
  const token = "op-shared-by-all-nodes-of-this-test-0123456789";
  const environment = { DATABASE_URL: database.url, PORT: "0", SKILLBOSS_OPERATOR_TOKEN: token };
  const shown: unknown[] = [];
  for (let node = 0; node < 2; node++) {
    const program = startProgram(["serve", "--starter", "--json"], {
      ...environment,
      SKILLBOSS_DATA_DIR: freshDirectory(),
    });
    await program.says(/\n/);
    const { url, keys, operator_token: place } = JSON.parse(program.output());
    assert.equal(place, "SKILLBOSS_OPERATOR_TOKEN");
    const answer = await fetch(`${url}/admin/v1/accounts`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    shown.push(keys);
    await program.stop();
  }
  assert.deepEqual(shown[0], shown[1]);
  await database.drop();
});

/** Ends soon with one sentence and nothing else. */
async function refusal(environment: Readonly<Record<string, string>>): Promise<string> {
  const began = performance.now();
  const { code, output, errors } = await runProgram(["serve", "--starter"], { PORT: "0", ...environment });
  assert.equal(code, 1, output + errors);
  assert.ok(performance.now() - began < 30_000, "it ends soon");
  assert.equal(output, "");
  assert.doesNotMatch(errors, /^\s+at |\berrno\b/m);
  assert.match(errors, /^skillboss: .*\n$/);
  return errors;
}

test("a data directory that cannot be made or written to is told in a sentence, in seconds", async () => {
  const file = join(freshDirectory(), "file");
  writeFileSync(file, "");
  for (const [path, why] of [
    [file, /a file is in the way/],
    [join(file, "below"), /a file is in the way/],
    ["/proc/x", /no directory can be made there/],
    ["/proc/x/y", /no directory can be made there/],
    ["/sys/x", /this user may not write there/],
  ] as const) {
    const told = await refusal({ SKILLBOSS_DATA_DIR: path });
    assert.match(told, why);
    assert.ok(told.includes(path) || path.startsWith("/proc"), told);
    assert.match(told, /Set SKILLBOSS_DATA_DIR/);
  }
});

test("a HOST that is not this machine's is told with what to set", async () => {
  const SKILLBOSS_DATA_DIR = await readyDirectory();
  assert.match(
    await refusal({ SKILLBOSS_DATA_DIR, HOST: "192.0.2.1" }),
    /192\.0\.2\.1 is no address of this machine\. Set HOST to 127\.0\.0\.1/,
  );
  assert.match(
    await refusal({ SKILLBOSS_DATA_DIR, HOST: "nowhere.invalid" }),
    /The name nowhere\.invalid leads to no address\. Set HOST/,
  );
});

test("a PostgreSQL server that cannot be used is told with its place and the reason, never with the password", async () => {
  const told = await refusal({
    SKILLBOSS_DATA_DIR: freshDirectory(),
    DATABASE_URL: "postgres://me:hushhush@127.0.0.1:9/db",
  });
  assert.match(
    told,
    /PostgreSQL server at 127\.0\.0\.1:9 cannot be used: nothing listens there\. .*DATABASE_URL/,
  );
  assert.doesNotMatch(told, /hushhush/);
  const database = await freshDatabaseHere();
  if (database === undefined) return;
  const missing = new URL(database.url);
  missing.pathname = "/not_there";
  const DATABASE_URL = missing.href;
  assert.match(
    await refusal({ SKILLBOSS_DATA_DIR: freshDirectory(), DATABASE_URL }),
    /it has no such database/,
  );
  await database.drop();
});

test("npm run skillboss is what the screen says", () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8"));
  assert.equal(scripts.skillboss, "node bin/skillboss.cjs");
});
