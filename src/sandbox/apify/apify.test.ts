import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's OpenAPI document: its SDK is not installed. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // The answers of the emulator under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
};

async function ask(method: string, path: string, input?: object): Promise<Answer> {
  const response = await fetch(`${sandbox.url}/apify/v2${path}`, {
    method,
    headers: { authorization: "Bearer k" },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** The run once it is over. */
async function over(id: string): Promise<Answer["body"]> {
  for (;;) {
    const { body } = await ask("GET", `/actor-runs/${id}`);
    if (body.data.status !== "READY" && body.data.status !== "RUNNING") return body.data;
  }
}

const actor = "/actors/apify~web-scraper/runs";

test("a run is begun, followed and read, and tells what it cost", async () => {
  const begun = await ask("POST", actor, { startUrls: [{ url: "https://example.com" }], maxItems: 7 });
  assert.equal(begun.status, 201);
  const { id, defaultDatasetId, usageTotalUsd } = begun.body.data;
  assert.ok(["READY", "RUNNING"].includes(begun.body.data.status) && usageTotalUsd === undefined);
  const ended = await over(id);
  assert.deepEqual(
    [ended.status, ended.usageTotalUsd, ended.exitCode, ended.defaultDatasetId],
    ["SUCCEEDED", 0.019, 0, defaultDatasetId],
  );
  const items = await ask("GET", `/datasets/${defaultDatasetId}/items?limit=5&offset=1`);
  assert.deepEqual([items.body.length, items.headers.get("x-apify-pagination-total")], [5, "7"]);
  assert.ok(items.body.every((item: { url: string }) => URL.canParse(item.url)));
});

test("it costs no more than it may, and gives what that pays for", async () => {
  const { body } = await ask("POST", `${actor}?maxTotalChargeUsd=0.01`, { maxItems: 50 });
  const ended = await over(body.data.id);
  assert.deepEqual([ended.usageTotalUsd, ended.options.maxTotalChargeUsd], [0.009, 0.01]);
  const items = await ask("GET", `/datasets/${ended.defaultDatasetId}/items`);
  assert.equal(items.body.length, 2);
});

test("a run may fail, and be aborted", async () => {
  const failing = await ask("POST", "/acts/apify~web-scraper/runs", { query: "x [sandbox:job-fail]" });
  const failed = await over(failing.body.data.id);
  assert.deepEqual([failed.status, failed.exitCode, failed.usageTotalUsd], ["FAILED", 1, 0.005]);
  const endless = await ask("POST", actor, { query: "x [sandbox:job-never]" });
  const aborted = await ask("POST", `/actor-runs/${endless.body.data.id}/abort`);
  assert.equal(aborted.body.data.status, "ABORTED");
  assert.equal((await over(endless.body.data.id)).status, "ABORTED");
});

test("refusals are in Apify's form", async () => {
  const told = async (asked: Promise<Answer>): Promise<readonly unknown[]> => {
    const { status, body } = await asked;
    return [status, body.error.type];
  };
  assert.deepEqual(await told(ask("POST", "/actors/apify~missing/runs", {})), [404, "record-not-found"]);
  assert.deepEqual(await told(ask("POST", "/actors/apify%2Fx/runs", {})), [404, "record-not-found"]);
  assert.deepEqual(await told(ask("GET", "/actor-runs/none")), [404, "record-not-found"]);
  assert.deepEqual(await told(ask("POST", `${actor}?maxTotalChargeUsd=-1`, {})), [400, "invalid-input"]);
  const limited = ask("POST", actor, { query: "[sandbox:fault-429]" });
  assert.deepEqual(await told(limited), [429, "rate-limit-exceeded"]);
  const response = await fetch(`${sandbox.url}/apify/v2/users/me`);
  assert.equal(response.status, 401);
});
