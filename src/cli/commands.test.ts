import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { startFakeApi } from "../client/fake-api.ts";
import type { FakeApi, FakeReplies } from "../client/fake-api.ts";
import { run } from "./cli-runner.test-support.ts";
import type { Ran, RunSettings } from "./cli-runner.test-support.ts";
import { accountId, sampleModel, sampleReplies } from "./sample-answers.test-support.ts";

let fake: FakeApi | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

async function settingsFor(replies: FakeReplies = {}): Promise<RunSettings & { readonly api: FakeApi }> {
  fake = await startFakeApi({ ...sampleReplies, ...replies });
  return { environment: { url: fake.url, apiKey: "sk-test-x", operatorToken: "op-x" }, api: fake };
}

async function ranWith(words: readonly string[], replies: FakeReplies): Promise<Ran> {
  const ran = await run(words, await settingsFor(replies));
  await fake?.close();
  return ran;
}

/** Every command that ends in an action → arguments that satisfy it. */
const everyCommand: Readonly<Record<string, readonly string[]>> = {
  "accounts list": [],
  "accounts create": ["ada", "--plan", "starter", "--requests-per-minute", "5"],
  "accounts show": ["owner"],
  "accounts change": ["owner", "--concurrent-requests", "plan"],
  "accounts transfers": ["owner"],
  "keys list": ["owner"],
  "keys create": ["owner", "--mode", "test", "--model", "a", "--model", "b"],
  "keys revoke": ["key_1"],
  "credits grant": ["owner", "2.5"],
  "credits balance": [],
  models: [],
  "models show": ["gpt-4o-mini"],
  chat: ["hello", "there", "--no-stream"],
  usage: [],
  audit: [],
};

test("Bare skillboss says what it is and shows the first commands.", async () => {
  const { exitCode, output, errors } = await run([]);
  assert.equal(exitCode, 0);
  assert.equal(errors, "");
  for (const command of ["serve --starter", 'chat "Hello"', "models", "credits balance", "usage"]) {
    assert.ok(output.includes(`skillboss ${command}`), command);
  }
});

test("Help lists every command, the exit codes, the environment and examples.", async () => {
  const { exitCode, output } = await run(["--help"]);
  assert.equal(exitCode, 0);
  for (const word of ["serve", "chat", "models", "credits", "usage", "accounts", "keys", "audit"]) {
    assert.match(output, new RegExp(`^  ${word}\\b`, "m"));
  }
  for (const part of ["Exit codes:", "SKILLBOSS_OPERATOR_TOKEN", "Examples:", "--json"])
    assert.ok(output.includes(part));
});

test("Every command has a help screen with examples and the global options.", async () => {
  const groups = ["accounts", "keys", "credits", "models"];
  for (const words of ["serve", ...groups, ...Object.keys(everyCommand)]) {
    const { exitCode, output, errors } = await run([...words.split(" "), "--help"]);
    assert.equal(exitCode, 0, words);
    assert.equal(errors, "", words);
    assert.match(output, /Examples?:\n {2}\S/, words);
    assert.match(output, /--token <token>/, words);
  }
  for (const words of Object.keys(everyCommand).filter((one) => one.includes(" "))) {
    const [group = "", command = ""] = words.split(" ");
    const { output } = await run([group, "--help"]);
    assert.match(output, new RegExp(`^  ${command}\\b`, "m"), words);
  }
});

test("Help is asked for by --help alone, and no screen names a command that other screens do not know.", async () => {
  const { output } = await run(["--help"]);
  const listed = [...(output.split("Commands:")[1] ?? "").matchAll(/^ {2}([a-z]+) /gm)].map(
    ([, name]) => name,
  );
  assert.ok(listed.includes("jobs") && listed.includes("catalog"));
  for (const name of listed) {
    const help = await run([String(name), "--help"]);
    assert.doesNotMatch(help.output, /help \[command\]/, name);
  }
});

test("Every command ends with 0 when the server answers, and says something to people.", async () => {
  const settings = await settingsFor();
  for (const [words, rest] of Object.entries(everyCommand)) {
    const { exitCode, output, errors } = await run([...words.split(" "), ...rest], settings);
    assert.equal(exitCode, 0, `${words}: ${errors}`);
    assert.match(output, /\S.*\n$/s, words);
    assert.doesNotMatch(output, /undefined|NaN|\[object|^\{/, words);
  }
});

test("With --json every command writes one JSON document to standard output and nothing to standard error.", async () => {
  const settings = await settingsFor();
  for (const [words, rest] of Object.entries(everyCommand)) {
    for (const given of [
      ["--json", ...words.split(" "), ...rest],
      [...words.split(" "), ...rest, "--json"],
    ]) {
      const { exitCode, output, errors } = await run(given, settings);
      assert.equal(exitCode, 0, words);
      assert.equal(errors, "", words);
      const document: unknown = JSON.parse(output);
      assert.equal(typeof document, "object", words);
    }
  }
});

test("The example of a model goes to the address that the command line talks to.", async () => {
  for (const told of ["$SKILLBOSS_URL", "https://elsewhere.example"]) {
    const body = { ...sampleModel, curl_example: `curl ${told}/v1/chat/completions -d '{"a":"/v1/"}'` };
    const { output } = await ranWith(["models", "show", "gpt-4o-mini"], {
      "GET /v1/models/gpt-4o-mini": { body },
    });
    assert.match(output, /^ {2}curl http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions -d '{"a":"\/v1\/"}'$/m);
  }
});

test("A refusal ends with 1 and says message, code and request; with --json it is the API's error object.", async () => {
  const error = { message: "No such thing.", code: "not_found", param: "id", request_id: "req_5" };
  const replies = { [`GET /admin/v1/accounts/${accountId}`]: { status: 404, body: { error } } };
  const plain = await ranWith(["accounts", "show", accountId], replies);
  assert.equal(plain.exitCode, 1);
  assert.equal(plain.output, "");
  assert.match(plain.errors, /No such thing\.[^]*not_found[^]*req_5/);
  const json = await ranWith(["accounts", "show", accountId, "--json"], replies);
  assert.equal(json.exitCode, 1);
  assert.equal(json.output, "");
  assert.deepEqual(JSON.parse(json.errors), { error });
});

test("The member at fault is named where the message does not name it.", async () => {
  const refused = async (message: string) => {
    const error = { message, code: "url_not_allowed", param: "webhook" };
    return (await ranWith(["credits", "balance"], { "GET /v1/balance": { status: 400, body: { error } } }))
      .errors;
  };
  assert.match(await refused("This address may not be fetched."), /\(url_not_allowed at webhook\)/);
  assert.match(await refused("webhook: want an address"), /\(url_not_allowed\)/);
});

test("When to try again is said where that may help, and not where the server says that it is in vain.", async () => {
  const error = { message: "Not now.", code: "upstream_unavailable" };
  const refused = (headers: Readonly<Record<string, string>>) => ({
    "GET /v1/balance": { status: 503, headers: { "retry-after": "60", ...headers }, body: { error } },
  });
  const words = ["credits", "balance"];
  assert.match((await ranWith(words, refused({}))).errors, /Try again in 60 s\./);
  const inVain = refused({ "x-should-retry": "false" });
  assert.doesNotMatch((await ranWith(words, inVain)).errors, /Try again/);
  assert.deepEqual(JSON.parse((await ranWith([...words, "--json"], inVain)).errors), { error });
});

test("A server that does not answer ends with 3 and names the address and what to do.", async () => {
  const { api, environment } = await settingsFor();
  await api.close();
  const plain = await run(["audit"], { environment: { ...environment } });
  assert.equal(plain.exitCode, 3);
  assert.ok(plain.errors.includes(api.url));
  assert.match(plain.errors, /skillboss serve[^]*--url/);
  const json = await run(["audit", "--json"], { environment: { ...environment } });
  assert.equal(json.exitCode, 3);
  assert.match(json.errors, /"code":"server_unreachable"/);
  JSON.parse(json.errors);
});

test("Wrong use ends with 2, says what is wrong, and asks the server nothing.", async () => {
  const settings = await settingsFor();
  const cases: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [["frob"], /unknown command 'frob'/],
    [["accounts"], /command is missing/],
    [["accounts", "show"], /missing required argument/],
    [["accounts", "list", "--frob"], /unknown option '--frob'/],
    [["accounts", "list", "extra"], /too many arguments/],
    [["accounts", "change", accountId], /Say what to change/],
    [["accounts", "create", "x", "--plan", "gold"], /Allowed choices are free, starter, pro/],
    [["keys", "create", "x", "--mode", "half"], /Allowed choices are live, test/],
    [["keys", "revoke", "sk-test-secret"], /key's id/],
    [["usage", "--period", "year"], /Allowed choices/],
    [["chat", "hi", "--max-tokens", "0"], /whole number from 1/],
    [["accounts", "create", "x", "--requests-per-minute", "-1"], /whole number|argument missing/],
    [["--url", "ftp://x", "audit"], /Not an address/],
    [["--url", "nonsense", "audit"], /Not an address/],
    [["credits", "grant", "owner", "1", "--idempotency-key", "a b"], /ASCII/],
  ];
  for (const [words, says] of cases) {
    const { exitCode, errors, output } = await run(words, settings);
    assert.equal(exitCode, 2, words.join(" "));
    assert.match(errors, says);
    assert.equal(output, "");
    const json = await run([...words, "--json"], settings);
    assert.equal(json.exitCode, 2);
    assert.match(JSON.stringify(JSON.parse(json.errors)), /"code":"wrong_use"/);
  }
  assert.equal(settings.api.asked.length, 0);
});

test("The version is printed.", async () => {
  assert.deepEqual(await run(["--version"]), { exitCode: 0, output: "1.2.3\n", errors: "" });
});

test("Serve hands its options on and ends with the server's exit code.", async () => {
  const started: unknown[] = [];
  const serve = (options: unknown): Promise<number> => {
    started.push(options);
    return Promise.resolve(7);
  };
  assert.equal((await run(["serve", "--starter"], { serve })).exitCode, 7);
  assert.equal((await run(["serve", "--quiet"], { serve })).exitCode, 7);
  assert.equal((await run(["serve", "--json"], { serve })).exitCode, 7);
  assert.deepEqual(started, [
    { starter: true, quiet: false, json: false },
    { starter: false, quiet: true, json: false },
    { starter: false, quiet: false, json: true },
  ]);
  const failed = await run(["serve"], { serve: () => Promise.reject(new Error("Port 8787 is taken.")) });
  assert.equal(failed.exitCode, 1);
  assert.match(failed.errors, /Port 8787 is taken/);
});

test("An audit with faults ends with 1 and names them, as text and as JSON.", async () => {
  const audit = { ok: false, books: 4, transfers: 7, open_holds: 0, faults: ["Book x is off by 1."] };
  const replies = { "POST /admin/v1/audit": { body: audit } };
  const plain = await ranWith(["audit"], replies);
  assert.equal(plain.exitCode, 1);
  assert.match(plain.output, /do not add up[^]*Book x is off by 1\./);
  const json = await ranWith(["audit", "--json"], replies);
  assert.equal(json.exitCode, 1);
  assert.deepEqual(JSON.parse(json.output), audit);
});

test("A reader of the output that goes away ends the command with 0 and without a word.", async () => {
  const settings = await settingsFor();
  const ran = await run(["accounts", "transfers", "owner"], {
    ...settings,
    onOutput: (_text, stream) => stream.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  });
  assert.equal(ran.exitCode, 0);
  assert.equal(ran.errors, "");
});

test("Output that cannot be written, as on a full disk, is a failure and not an end as wished.", async () => {
  const settings = await settingsFor();
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const ran = await run(["accounts", "transfers", "owner"], {
    ...settings,
    onOutput: (_text, stream) => stream.destroy(full),
  });
  assert.equal(ran.exitCode, 1);
  assert.match(ran.errors, /^skillboss: The output was not written: ENOSPC/);
});
