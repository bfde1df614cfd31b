import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import type { RunEvent, SeenRun } from "../calls/runs/run-store.ts";
import type { Visit } from "./door.ts";
import { followEvents, sharedLooks } from "./run-events.ts";

const at = new Date("2026-11-01T10:00:00Z");
const running: SeenRun = {
  ...{ id: "run_1", call_id: "call_1", account_id: "acc_1", key_id: "key_1", mode: "test", plan: "pro" },
  ...{ model: "scrape", model_id: "test/scrape", category: "scrape", offer: null, state: "waiting" },
  ...{ ending: null, inputs: {}, memory: null, progress: null, output: null, problem: null, usage: null },
  ...{ cost: null, estimated: false, price: {}, credit_usd: "0.05", attempts: 1, webhook_url: null },
  ...{ public_url: "http://127.0.0.1", node_id: null, claim: 1n, lease_until: at, created_at: at },
  ...{ updated_at: at, ended_at: null },
};
const over: SeenRun = {
  ...running,
  state: "over",
  ending: "done",
  output: { text: "x" },
  cost: 1n,
  ended_at: at,
};

const visit: Visit<unknown> = {
  ...{ requestId: "req_1", parameters: {}, query: new URLSearchParams(), headers: {}, body: undefined },
  origin: "http://127.0.0.1",
  rawBody: Buffer.alloc(0),
  caller: () => assert.fail("nobody asks"),
};

test("a run that ends between two looks is told as it ended, with its result", async () => {
  const rows = [running, over];
  const done: RunEvent = { sequence: 1, kind: "done", data: {} };
  const store = {
    read: () => Promise.resolve(rows.length > 1 ? rows.shift() : rows[0]),
    events: (_id: string, after: number) => Promise.resolve(after < 1 ? [done] : []),
  };
  const text = await followed(store);
  assert.match(text, /^event: completed$/m);
  assert.match(text, /"status":"completed".*"result":/);
});

test("what is no event's number is answered from the first event on, however large it is", async () => {
  const asked: number[] = [];
  const store = {
    read: () => Promise.resolve(over),
    events: (_id: string, after: number) => {
      asked.push(after);
      return Promise.resolve([]);
    },
  };
  for (const id of ["7", "2147483648", "1e300", "-1", "0.5", "msg_1"])
    await followed(store, { headers: { "last-event-id": id } });
  assert.deepEqual(asked, [7, 0, 0, 0, 0, 0]);
});

test("who has seen the end of a run is answered 204 and asks no more, in whatever way it is asked; who has not, gets it", async () => {
  const done: RunEvent = { sequence: 3, kind: "done", data: {} };
  const store = {
    read: () => Promise.resolve(over),
    events: (_id: string, after: number) => Promise.resolve(after < 3 ? [done] : []),
  };
  const of = async (after: string, isHeadOnly = false) => {
    const query = new URLSearchParams({ after });
    const { status, headers } = await answered(over, store, { visit: { ...visit, query }, isHeadOnly });
    return [status, headers.get("x-request-id"), headers.get("content-type")?.split(";")[0]];
  };
  const events = "text/event-stream";
  assert.deepEqual(await of("2"), [200, "req_1", events]);
  assert.deepEqual([await of("3"), await of("9", true)], Array(2).fill([204, "req_1", undefined]));
  assert.deepEqual(await of("2", true), [200, "req_1", events]);
});

test("a stop does not wait for those who follow a run: their streams end, and they go on elsewhere", async () => {
  const store = { read: () => Promise.resolve(running), events: () => Promise.resolve([]) };
  assert.equal(await followed(store, {}, () => true), "");
});

test("many who follow a run cost the database what one does", async () => {
  let reads = 0;
  const look = sharedLooks({
    read: () => {
      reads += 1;
      return Promise.resolve(running);
    },
    events: () => Promise.resolve([]),
  });
  await Promise.all(Array.from({ length: 500 }, () => look("run_1", 0)));
  assert.equal(reads, 1);
  await look("run_1", 7);
  await look("run_2", 0);
  assert.equal(reads, 3);
});

test("a look that failed is not kept", async () => {
  let reads = 0;
  const look = sharedLooks({
    read: () => {
      reads += 1;
      return reads === 1 ? Promise.reject(new Error("away")) : Promise.resolve(running);
    },
    events: () => Promise.resolve([]),
  });
  await assert.rejects(look("run_1", 0), /away/);
  assert.equal((await look("run_1", 0)).row, running);
});

type Following = Partial<Parameters<typeof followEvents>[2]>;

/** All that somebody is sent who follows the run. */
async function followed(
  store: Parameters<typeof sharedLooks>[0],
  more: Partial<Visit<unknown>> = {},
  isStopping = () => false,
): Promise<string> {
  return (await answered(running, store, { visit: { ...visit, ...more }, isStopping })).text;
}

async function answered(first: SeenRun, store: Parameters<typeof sharedLooks>[0], more: Following) {
  const server = createServer((_, response) => {
    const usual = { look: sharedLooks(store), visit, known: {}, isHeadOnly: false, isStopping: () => false };
    void followEvents(first, response, { ...usual, keepAliveMs: 1_000, ...more });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const response = await fetch(`http://127.0.0.1:${address.port}/`);
  const text = await response.text();
  server.close();
  return { status: response.status, headers: response.headers, text };
}
