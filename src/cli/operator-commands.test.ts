import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { startFakeApi } from "../client/fake-api.ts";
import type { FakeApi, FakeReplies, FakeReply } from "../client/fake-api.ts";
import { run } from "./cli-runner.test-support.ts";
import type { RunSettings } from "./cli-runner.test-support.ts";
import { accountId, sampleAccount, sampleReplies, sampleUsage } from "./sample-answers.test-support.ts";

let fake: FakeApi | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function settingsFor(replies: FakeReplies = {}): Promise<RunSettings & { readonly api: FakeApi }> {
  fake = await startFakeApi({ ...sampleReplies, ...replies });
  return { environment: { url: fake.url, apiKey: "sk-test-x", operatorToken: "op-x" }, api: fake };
}

const twins = {
  "GET /admin/v1/accounts": {
    body: {
      object: "list",
      data: [sampleAccount, { ...sampleAccount, id: `acc_${"2".repeat(32)}` }],
    },
  },
};

test("An account may be named by its id, which needs no look-up, or by its name.", async () => {
  const settings = await settingsFor();
  await run(["accounts", "show", accountId], settings);
  assert.equal(settings.api.asked.length, 1);
  const { exitCode, output } = await run(["accounts", "show", "owner"], settings);
  assert.equal(exitCode, 0);
  assert.match(output, /1,523\.45 credits/);
});

test("A name that nobody has ends with 1 and names the accounts there are; one that two have asks for the id.", async () => {
  const unknown = await run(["accounts", "show", "nobody"], await settingsFor());
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.errors, /no account nobody.*owner/);
  await fake?.close();
  const twice = await run(["accounts", "show", "owner"], await settingsFor(twins));
  assert.equal(twice.exitCode, 2);
  assert.ok(twice.errors.includes(accountId));
});

test("Only the limits that were named are changed; the word plan goes back to the plan's.", async () => {
  const settings = await settingsFor();
  await run(["accounts", "change", accountId, "--requests-per-minute", "plan"], settings);
  await run(["accounts", "change", accountId, "--name", "x", "--concurrent-requests", "0"], settings);
  assert.deepEqual(
    settings.api.asked.map((one) => one.body),
    [{ limits: { requests_per_minute: null } }, { name: "x", limits: { concurrent_requests: 0 } }],
  );
});

test("A new key's secret is shown with the word that it is shown once, and lists never have it.", async () => {
  const settings = await settingsFor();
  const made = await run(["keys", "create", accountId, "--model", "a", "--model", "b"], settings);
  assert.match(made.output, /sk-test-abcdefsecret[^]*shown this once/);
  assert.deepEqual(settings.api.asked[0]?.body, { mode: "live", models: ["a", "b"] });
  const listed = await run(["keys", "list", accountId], settings);
  assert.ok(!listed.output.includes("secret"));
  assert.match(listed.output, /1 key\n$/);
});

test("A grant takes only exact positive decimals: nothing else reaches the server.", async () => {
  const settings = await settingsFor();
  for (const amount of ["0", "0.0", "-1", "1e309", "1e3", "0.0000001", "1,000", "ten", "", " 1", "0x10"]) {
    const { exitCode, errors } = await run(["credits", "grant", accountId, amount], settings);
    assert.equal(exitCode, 2, amount);
    assert.match(errors, /decimals|unknown option/, amount);
  }
  assert.equal(settings.api.asked.length, 0);
  for (const amount of ["10", "0.000001", "9007199254.740993"]) {
    assert.equal((await run(["credits", "grant", accountId, amount], settings)).exitCode, 0);
  }
  assert.deepEqual(
    settings.api.asked.map((one) => one.body),
    ["10", "0.000001", "9007199254.740993"].map((credits) => ({ credits, mode: "live" })),
  );
});

test("A grant carries the Idempotency-Key it was given, and one of its own otherwise.", async () => {
  const settings = await settingsFor();
  await run(["credits", "grant", accountId, "1", "--idempotency-key", "invoice-17"], settings);
  await run(["credits", "grant", accountId, "1"], settings);
  await run(["credits", "grant", accountId, "1"], settings);
  const [first, second, third] = settings.api.asked.map((one) => one.headers["idempotency-key"]);
  assert.equal(first, "invoice-17");
  assert.match(String(second), /^[0-9a-f-]{36}$/);
  assert.notEqual(second, third);
});

test("A grant that may have been done says how to ask again without granting twice, to people and to programs.", async () => {
  const error = { message: "Not now.", code: "service_unavailable" };
  const ends: readonly (readonly [reply: FakeReply, code: string])[] = [
    [{ pieces: ["{"], finish: "cut" }, "answer_broken"],
    [{ status: 504, body: "<html>Gateway Time-out</html>" }, "unreadable_answer"],
    [{ status: 503, body: { error } }, "service_unavailable"],
  ];
  for (const [reply, code] of ends) {
    const settings = await settingsFor({ [`POST /admin/v1/accounts/${accountId}/credits`]: reply });
    const words = ["credits", "grant", accountId, "1"];
    const plain = await run(words, settings);
    const json = await run([...words, "--json"], settings);
    await fake?.close();
    const [first, second] = settings.api.asked.map(({ headers }) => String(headers["idempotency-key"]));
    assert.deepEqual([plain.exitCode, json.exitCode], [1, 1], code);
    assert.ok(
      plain.errors.includes(code) && plain.errors.includes(`--idempotency-key ${first}`),
      plain.errors,
    );
    const told = JSON.parse(json.errors).error;
    assert.deepEqual([told.code, told.idempotency_key], [code, second]);
  }
});

test("A grant that was refused is no open question.", async () => {
  const error = { message: "There is no such account.", code: "not_found" };
  const settings = await settingsFor({
    [`POST /admin/v1/accounts/${accountId}/credits`]: { status: 404, body: { error } },
  });
  const { errors } = await run(["credits", "grant", accountId, "1", "--json"], settings);
  assert.deepEqual(JSON.parse(errors), { error });
});

test(
  "Ctrl-C while a grant is on its way says how to ask again without granting twice.",
  { timeout: 10_000 },
  async () => {
    const settings = await settingsFor({
      [`POST /admin/v1/accounts/${accountId}/credits`]: () => {
        process.emit("SIGINT");
        return { pieces: ["{"], finish: "hang" };
      },
    });
    const { exitCode, errors } = await run(["credits", "grant", accountId, "1"], settings);
    assert.equal(exitCode, 130);
    assert.match(
      errors,
      /^skillboss: Whether the credits were granted is not known\..* --idempotency-key [0-9a-f-]{36}\n$/,
    );
  },
);

test("Transfers of all pages are one table under one head, or one JSON list.", async () => {
  const settings = await settingsFor();
  const plain = await run(["accounts", "transfers", accountId, "--mode", "test"], settings);
  const lines = plain.output.trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? "", /^ +1 {2}2026-11-24 03:41:07 {2}grant .*-1,000\.00 {2}grant_1$/);
  assert.equal(lines[1]?.indexOf("grant_1"), lines[2]?.indexOf("grant_1"));
  assert.match(settings.api.asked[0]?.path ?? "", /mode=test/);
  const json: unknown = JSON.parse(
    (await run(["accounts", "transfers", accountId, "--json"], settings)).output,
  );
  assert.ok(typeof json === "object" && json !== null && "data" in json && Array.isArray(json.data));
  assert.equal(json.data.length, 2);
});

test("Empty lists say that they are empty.", async () => {
  const none = { body: { object: "list", data: [], has_more: false, available_types: { chat: 3 } } };
  const settings = await settingsFor({
    "GET /admin/v1/accounts": none,
    [`GET /admin/v1/accounts/${accountId}/keys`]: none,
    [`GET /admin/v1/accounts/${accountId}/transfers`]: none,
    "GET /v1/models": none,
    "GET /v1/usage": { body: { ...sampleUsage, total: { ...sampleUsage.total, requests: 0 } } },
  });
  const said = async (...words: string[]) => (await run(words, settings)).output;
  assert.match(await said("accounts", "list"), /^No accounts yet/);
  assert.match(await said("keys", "list", accountId), /^No keys/);
  assert.match(await said("accounts", "transfers", accountId), /^No transfers/);
  assert.match(await said("models", "xyz"), /^No model matches "xyz"\. Types: chat \(3\)/);
  assert.match(await said("usage"), /^No test calls since 2026-10-26/);
});

test("Models are found by every word of the search in id, name or description.", async () => {
  const settings = await settingsFor();
  const found = await run(["models", "MAKES image"], settings);
  assert.match(found.output, /flux-1\.1-pro/);
  assert.doesNotMatch(found.output, /gpt-4o-mini/);
  assert.match(found.output, /2\.00 per image/);
  await run(["models", "--type", "image, video"], settings);
  assert.match(settings.api.asked[1]?.path ?? "", /types=image%2Cvideo/);
});
