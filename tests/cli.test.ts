import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGatewayProcess } from "./support/gateway-process.ts";
import type { Gateway } from "./support/gateway.ts";
import { runProgram } from "./support/program.ts";
import { assertAllSettled } from "./support/sdk.ts";

/** The command line as an operator and a customer use it, against a running server. */
let gateway: Gateway;
before(async () => {
  gateway = await startGatewayProcess();
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

const run = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  runProgram(words, { SKILLBOSS_URL: gateway.url, SKILLBOSS_DATA_DIR: gateway.directory, ...more });

/** Runs with --json and reads what is printed; the command has to succeed. */
async function read(words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { code, output, errors } = await run([...words, "--json"], more);
  assert.equal(code, 0, errors);
  return JSON.parse(output);
}

test("an account, credits and a key are made, used and read back, with the operator token of the data directory", async () => {
  const account = await read(["accounts", "create", "Ada & Co", "--plan", "starter"]);
  assert.equal(account.plan, "starter");
  const granted = await read([
    "credits",
    "grant",
    "Ada & Co",
    "25.50",
    "--mode",
    "test",
    "--reason",
    "first order",
  ]);
  assert.equal(granted.balances.test.available, "25.500000");
  const made = await read(["keys", "create", account.id, "--mode", "test", "--name", "agent"]);
  assert.match(made.key, /^sk-test-/);
  const key = { SKILLBOSS_API_KEY: made.key };

  const answer = await read(["chat", "Hello", "there", "--model", "claude-4-5-sonnet"], key);
  assert.equal(answer.model, "claude-4-5-sonnet");
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.ok(answer._remaining_credits < 25.5);

  const balance = await read(["credits", "balance"], key);
  assert.equal(balance.credits, answer._remaining_credits);
  const usage = await read(["usage", "--period", "day"], key);
  assert.equal(usage.total.requests, 1);
  assert.equal(usage.by_model[0].model, "claude-4-5-sonnet");
  const list = await read(["accounts", "list"]);
  const shown = list.data.find((one: { id: string }) => one.id === account.id);
  assert.equal(shown.balances.test.available, balance.available);
  const keys = await read(["keys", "list", "Ada & Co"]);
  assert.deepEqual(
    keys.data.map((one: { id: string }) => one.id),
    [made.id],
  );
  assert.ok(!JSON.stringify(keys).includes(made.key), "a secret is shown once");
  const transfers = await read(["accounts", "transfers", account.id, "--mode", "test"]);
  assert.ok(transfers.data.length >= 4);

  assert.equal((await run(["keys", "revoke", made.id])).code, 0);
  const refused = await run(["credits", "balance"], key);
  assert.equal(refused.code, 1);
  assert.match(refused.errors, /invalid_api_key/);
});

test("chat streams its text to standard output and everything else to standard error", async () => {
  const { key } = await gateway.customer({ mode: "test" });
  const { code, output, errors } = await run(["chat", 'Say "one two three"', "--key", key]);
  assert.equal(code, 0, errors);
  assert.equal(output, "one two three\n");
  assert.match(errors, /credits left\./);
  const whole = await run(["chat", 'Say "one two three"', "--key", key, "--no-stream"]);
  assert.equal(whole.output, output);
});

test("models are listed, chosen and shown with their prices", async () => {
  const { key } = await gateway.customer({ mode: "test" });
  const list = await run(["models", "--key", key]);
  assert.equal(list.code, 0, list.errors);
  for (const name of ["gpt-4o-mini", "claude-4-5-sonnet", "qwen/qwen-max"])
    assert.ok(list.output.includes(name), name);
  const one = await read(["models", "show", "openai/gpt-4o-mini", "--key", key]);
  assert.equal(one.id, "openai/gpt-4o-mini");
  assert.ok(one.prices.length > 0);
});

test("limits of an account are changed and hold", async () => {
  const account = await read(["accounts", "create", "Limited", "--requests-per-minute", "1"]);
  assert.equal(account.limits.requests_per_minute, 1);
  await read(["credits", "grant", account.id, "5", "--mode", "test"]);
  const { key } = await read(["keys", "create", account.id, "--mode", "test"]);
  assert.equal((await run(["chat", "Hello", "--key", key])).code, 0);
  const second = await run(["chat", "Hello", "--key", key]);
  assert.equal(second.code, 1);
  assert.match(second.errors, /rate_limit_exceeded/);
  assert.match(second.errors, /Try again in \d+ s\./);
});

test("granting twice with one idempotency key grants once", async () => {
  const account = await read(["accounts", "create", "Grace"]);
  for (let times = 0; times < 2; times += 1) {
    const { balances } = await read(["credits", "grant", "Grace", "7", "--idempotency-key", "invoice-17"]);
    assert.equal(balances.live.available, "7.000000");
  }
  const transfers = await read(["accounts", "transfers", account.id]);
  const ids = new Set(transfers.data.map((line: { id: string }) => line.id));
  assert.equal(ids.size, 1);
});

test("the audit says that the books add up", async () => {
  const text = await run(["audit"]);
  assert.equal(text.code, 0, text.errors);
  assert.match(text.output, /^The books add up: /);
  assert.equal((await read(["audit"])).ok, true);
});

test("refusals end with 1, wrong use with 2, a server that is not there with 3; with --json as JSON", async () => {
  const { key } = await gateway.customer({ mode: "test" });
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [["chat", "Hi", "--model", "gpt-4o-mnii", "--key", key], 1, "model_not_found"],
    [["accounts", "list", "--token", "op-wrong"], 1, "invalid_api_key"],
    [["accounts", "show", "Nobody"], 1, "failed"],
    [["frobnicate"], 2, "wrong_use"],
    [["accounts", "create"], 2, "wrong_use"],
    [["chat", "Hi"], 2, "wrong_use"],
    [["usage", "--period", "year", "--key", key], 2, "wrong_use"],
    [["models", "--key", key, "--url", "http://127.0.0.1:9"], 3, "server_unreachable"],
  ];
  for (const [words, expected, reason] of cases) {
    const { code, output, errors } = await run([...words, "--json"]);
    assert.equal(code, expected, `${words.join(" ")}: ${errors}`);
    assert.equal(output, "");
    assert.equal(JSON.parse(errors).error.code, reason, words.join(" "));
    const plain = await run(words);
    assert.equal(plain.code, expected);
    assert.match(plain.errors, /^skillboss: ./);
    assert.doesNotMatch(plain.errors, /^\s+at /m);
  }
});

test("the operator token of this machine is sent to no other", async () => {
  const { code, errors } = await run(["accounts", "list", "--url", "http://skillboss.invalid"]);
  assert.equal(code, 2);
  assert.match(errors, /--token or SKILLBOSS_OPERATOR_TOKEN/);
});

test("every command explains itself with an example, and help is no failure", async () => {
  const commands = [
    [],
    ["serve"],
    ["chat"],
    ["models"],
    ["credits"],
    ["credits", "grant"],
    ["usage"],
    ["accounts"],
  ];
  commands.push(["accounts", "create"], ["keys"], ["keys", "create"], ["audit"]);
  const helps = await Promise.all(commands.map((words) => run([...words, "--help"])));
  for (const [at, { code, output, errors }] of helps.entries()) {
    assert.equal(code, 0, commands[at]?.join(" "));
    assert.equal(errors, "");
    assert.match(output, /^Usage: skillboss/);
    assert.match(output, /Examples?:\n/);
  }
  assert.match((await run(["--version"])).output, /^\d+\.\d+\.\d+\n$/);
});
