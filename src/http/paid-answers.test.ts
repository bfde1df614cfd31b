import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import type { SeenRun } from "../calls/runs/run-store.ts";
import type { Caller } from "../core/caller.ts";
import { silentLog } from "../core/log.ts";
import { Problem } from "../core/problems.ts";
import type { Door, Visit } from "./door.ts";
import { imageDoors } from "./media-images.ts";
import { runDoor } from "./run-door.ts";
import type { RunsHouse } from "./runs.ts";
import { mailDoors } from "./send-emails.ts";

const at = new Date("2026-11-01T10:00:00Z");
const image = "http://127.0.0.1/v1/files/file_1/content";
const over: SeenRun = {
  ...{ id: "run_1", call_id: "call_1", account_id: "acc_1", key_id: "key_1", mode: "live", plan: "pro" },
  ...{ model: "flux", model_id: "bfl/flux", category: "image", offer: "p1/flux", state: "over" },
  ...{ ending: "done", progress: null, output: { message_id: "m1", images: [{ url: image }] } },
  ...{ problem: null, usage: { images: 1 }, cost: 1_000_000n, estimated: false, price: {} },
  ...{ credit_usd: "0.05", attempts: 1, webhook_url: null, public_url: "http://127.0.0.1" },
  ...{ node_id: null, claim: 1n, lease_until: at, created_at: at, updated_at: at, ended_at: at },
};

const away = (): Promise<never> => Promise.reject(new Problem("service_unavailable"));

/** The run is over and was charged; what else would be told of it cannot be read. */
const runs = {
  catalog: {
    find: () => ({
      model: { kind: "run", id: "bfl/flux", category: "image", inputs: {}, inputAliases: {}, offers: [] },
    }),
  },
  store: { read: () => Promise.resolve(over) },
  ledger: { balances: away },
  limiter: { peek: away },
  files: { read: () => Promise.resolve({ id: "file_1" }), whole: away },
  log: silentLog,
  creditUsd: "0.05",
};
const house = { runs, chat: runs, publicUrl: undefined } as unknown as RunsHouse;

/** Asked again under the Idempotency-Key of a request whose answer was never given. */
async function asked(door: Door | undefined, body: object, headers: Visit<unknown>["headers"] = {}) {
  const visit = {
    ...{ requestId: "req_2", parameters: {}, query: new URLSearchParams(), headers, earlierRun: "run_1" },
    ...{ origin: "http://127.0.0.1", body: undefined, rawBody: Buffer.from(JSON.stringify(body)) },
    caller: () => ({ accountId: "acc_1", keyId: "key_1", mode: "live", limits: {} }) as unknown as Caller,
  } as Visit<unknown>;
  const server = createServer((request, response) => {
    assert.ok(door !== undefined && "attend" in door);
    door.attend(visit, request, response).catch((error: unknown) => {
      response.writeHead(error instanceof Problem ? error.status : 500).end(JSON.stringify(String(error)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const response = await fetch(`http://127.0.0.1:${address.port}/`);
  const answer = JSON.parse(await response.text());
  server.close();
  return { status: response.status, headers: response.headers, body: answer };
}

const letter = { title: "Hi", body_html: "<p>Hi</p>", receivers: ["ada@example.com"] };

for (const [path, door, body] of [
  ["/v1/run", runDoor(house), { model: "flux", inputs: {} }],
  ["/v1/send-email", mailDoors(house)[0], letter],
  ["/v1/send-emails", mailDoors(house)[1], letter],
] as const)
  test(`POST ${path}: what was done and charged is told also while the balance cannot be read`, async () => {
    const answer = await asked(door, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.headers.get("x-skillboss-cost"), "1.000000");
    assert.equal("_remaining_credits" in answer.body, false);
  });

for (const [how, headers, status, retry] of [
  ["not asked for again: clients would pay once more", {}, 409, ["false", null]],
  ["asked for again under its Idempotency-Key", { "idempotency-key": "k" }, 503, [null, "5"]],
] as const)
  test(`a picture that is charged and cannot be read is ${how}`, async () => {
    const [door] = imageDoors(house);
    const wish = { model: "flux", prompt: "A fox", response_format: "b64_json" };
    const answer = await asked(door, wish, headers);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.deepEqual(
      ["x-should-retry", "retry-after"].map((name) => answer.headers.get(name)),
      retry,
    );
    assert.equal(answer.headers.get("x-skillboss-cost"), "1.000000");
    assert.equal(answer.body.error.run_id, "run_1");
    assert.match(answer.body.error.message, /charged.*\/v1\/job\/run_1/);
  });
