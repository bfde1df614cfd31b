import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's documentation: there is no SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Answer = {
  readonly status: number;
  // The answers of the emulator under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
};

async function ask(path: string, query: Readonly<Record<string, string>>): Promise<Answer> {
  const asked = new URLSearchParams({ api_key: "k", ...query });
  const response = await fetch(`${sandbox.url}/hunter/v2/${path}?${asked.toString()}`);
  return { status: response.status, body: await response.json() };
}

test("a company's addresses come page by page, the same ones each time", async () => {
  const { body } = await ask("domain-search", { domain: "example.com" });
  const { emails } = body.data;
  assert.equal(emails.length, 10);
  for (const { value, confidence, type } of emails) {
    assert.match(value, /^[a-z.]+@example\.com$/);
    assert.ok(confidence >= 60 && confidence <= 99 && (type === "generic" || type === "personal"));
  }
  assert.deepEqual((await ask("domain-search", { domain: "example.com" })).body, body);
  const next = await ask("domain-search", { domain: "example.com", offset: "10", limit: "100" });
  assert.equal(next.body.data.emails.length, body.meta.results - 10);
  const people = await ask("domain-search", { company: "Example", type: "personal", limit: "3" });
  assert.ok(people.body.data.emails.every((one: { type: string }) => one.type === "personal"));
  assert.deepEqual((await ask("domain-search", { domain: "nobody.invalid" })).body.data.emails, []);
});

test("a person's address is found by both names, or by one with both", async () => {
  const both = await ask("email-finder", { domain: "example.com", first_name: "Ada", last_name: "Lovelace" });
  assert.equal(both.body.data.email, "ada.lovelace@example.com");
  const full = await ask("email-finder", { company: "Example", full_name: "Ada Lovelace" });
  assert.deepEqual(full.body.data, both.body.data);
  const none = await ask("email-finder", { domain: "nobody.invalid", full_name: "Ada Lovelace" });
  assert.equal(none.body.data.email, null);
});

test("a verification may go on for a while: 202 until the result is there", async () => {
  const verify = (email: string): Promise<Answer> => ask("email-verifier", { email });
  assert.deepEqual([(await verify("ada@example.com")).body.data.status], ["valid"]);
  assert.equal((await verify("ada@gmail.com")).body.data.status, "webmail");
  assert.equal((await verify("ada@nobody.invalid")).body.data.status, "invalid");
  const statuses: number[] = [];
  for (let asked = 0; asked < 3; asked += 1) statuses.push((await verify("slow.ada@example.com")).status);
  assert.deepEqual(statuses, [202, 202, 200]);
  assert.equal((await verify("broken@example.com")).status, 222);
});

test("the key is taken from the query and from headers; refusals are in Hunter's form", async () => {
  const url = `${sandbox.url}/hunter/v2/account`;
  assert.equal((await fetch(url, { headers: { "x-api-key": "k" } })).status, 200);
  assert.equal((await fetch(url, { headers: { authorization: "Bearer k" } })).status, 200);
  const told = async (asked: Promise<Answer>): Promise<readonly unknown[]> => {
    const { status, body } = await asked;
    assert.equal(body.errors[0].code, status);
    return [status, body.errors[0].id];
  };
  assert.deepEqual(await told(ask("account", { api_key: "invalid" })), [401, "authentication_failed"]);
  assert.deepEqual(await told(ask("domain-search", {})), [400, "wrong_params"]);
  assert.deepEqual(await told(ask("email-verifier", { email: "nobody" })), [400, "wrong_params"]);
  const limited = ask("domain-search", { company: "x [sandbox:fault-429]" });
  assert.deepEqual(await told(limited), [429, "too_many_requests"]);
});
