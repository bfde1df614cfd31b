import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { chatToEnd, hello, startChat } from "./chat-exchange.ts";
import { ok } from "./fake-behaviours.ts";
import { eventually } from "./fake-upstream.ts";
import type { FakeUpstream } from "./fake-upstream.ts";
import type { AdminAnswer } from "./gateway-api.ts";
import type { Gateway } from "./gateway.ts";
import { trailOf } from "./money-trail.ts";
import { streamUntil } from "./open-ended.ts";

/** What an operator is promised of one gateway as of several that share a database: the first changes, all serve. */
export type Nodes = readonly [Gateway, ...Gateway[]];

export const nothing = { available: "0.000000", held: "0.000000" };

export async function accountOf(gateway: Gateway, name = "customer"): Promise<string> {
  const { status, body } = await gateway.admin("POST", "/accounts", { name });
  assert.equal(status, 201);
  return body.id;
}

/** A grant that is asked for twenty times at once, and again later, is made once. */
export async function assertGrantedOnce(nodes: Nodes): Promise<void> {
  const [node] = nodes;
  const id = await accountOf(node);
  const wish = { credits: "25.00", mode: "live", reason: "invoice 17" };
  const grant = (body: unknown, headers: Record<string, string>, at: Gateway = node) =>
    at.admin("POST", `/accounts/${id}/credits`, body, headers);
  const again = { "idempotency-key": "invoice-17" };
  const asked = Array.from({ length: 20 }, (_, index) => grant(wish, again, nodes[index % nodes.length]));
  const [first, ...others] = await Promise.all(asked);
  assert.match(first?.body.transfer_id, /^grant_[0-9a-f]{32}$/);
  const answer = {
    transfer_id: first?.body.transfer_id,
    balances: { live: { available: "25.000000", held: "0.000000" }, test: nothing },
  };
  for (const { status, body } of [first, ...others, await grant(wish, again)].map(answered))
    assert.deepEqual([status, body], [201, answer]);

  const reused = [{ credits: "25.000001" }, { credits: "1" }, { mode: "test" }, { reason: "another" }];
  for (const other of reused) {
    const { status, body } = await grant({ ...wish, ...other }, again);
    assert.deepEqual([status, body.error.code], [422, "idempotency_key_reused"]);
  }
  const { body: account } = await node.admin("GET", `/accounts/${id}`);
  assert.deepEqual(account.balances, answer.balances);
  const lines = (await trailOf(node, id)).lines.map((line) => [line.id, line.book, line.amount]);
  const { transfer_id: transfer } = answer;
  assert.deepEqual(lines, [
    [transfer, "grants", "-25.000000"],
    [transfer, "available", "25.000000"],
  ]);
  assert.equal((await trailOf(node, id, "test")).lines.length, 0);

  const more = [await grant(wish, { "idempotency-key": "invoice-18" }), await grant(wish, {})];
  const neighbour = await accountOf(node);
  more.push(await node.admin("POST", `/accounts/${neighbour}/credits`, wish, again));
  assert.deepEqual(
    more.map(({ status, body }) => [status, body.balances.live.available]),
    [
      [201, "50.000000"],
      [201, "75.000000"],
      [201, "25.000000"],
    ],
    "another key, none, and the same key for another account grant again",
  );
}

function answered(answer: AdminAnswer | undefined): AdminAnswer {
  assert.ok(answer !== undefined);
  return answer;
}

/** The plan has this much for a changed plan to hold. */
const holdsWithinMs = 5_000;

/** L-07: what the first node changes holds for a key that another one serves, and for no stream that runs. */
export async function assertPlanChangeHolds(nodes: Nodes, upstream: FakeUpstream): Promise<void> {
  const [changing] = nodes;
  const serving = nodes[1] ?? changing;
  const accountId = await accountOf(changing);
  const path = `/accounts/${accountId}`;
  await changing.admin("POST", `${path}/credits`, { credits: "10", mode: "live" });
  const { key } = (await changing.admin("POST", `${path}/keys`, { mode: "live" })).body;
  const ask = () =>
    chatToEnd({ url: serving.url, key, body: { model: "m-chat", messages: hello, max_tokens: 5 } });
  const becomes = async (change: unknown, outcome: number | string): Promise<void> => {
    assert.equal((await changing.admin("PATCH", path, change)).status, 200);
    const changedAt = performance.now();
    for (;;) {
      const startedAt = performance.now();
      const exchange = await ask();
      const seen = exchange.status === 200 ? 200 : exchange.json().error.code;
      if (seen === outcome) return;
      assert.ok(startedAt - changedAt < holdsWithinMs, `${seen} after ${JSON.stringify(change)}`);
      await pause(20);
    }
  };

  let isEnough = false;
  upstream.script("m-chat", ok());
  upstream.script(
    "m-two",
    streamUntil(() => isEnough),
  );
  const running = startChat({
    url: serving.url,
    key,
    body: { model: "m-two", messages: hello, stream: true },
  });
  await eventually(() => running.deltas > 0, 5_000);
  for (let call = 2; call <= 10; call += 1) assert.equal((await ask()).status, 200, `call ${call} of 10`);
  assert.equal((await ask()).json().error.code, "rate_limit_exceeded");

  await becomes({ plan: "starter" }, 200);
  assert.equal((await ask()).headers["x-ratelimit-limit-requests"], "60");
  await becomes({ limits: { requests_per_minute: 0 } }, "rate_limit_exceeded");
  await becomes(
    { limits: { requests_per_minute: null, concurrent_requests: 1 } },
    "concurrency_limit_exceeded",
  );
  await becomes({ plan: "free", limits: { concurrent_requests: null } }, "rate_limit_exceeded");

  assert.equal(running.isBroken, false);
  isEnough = true;
  await running.over;
  assert.ok(running.isComplete, "the stream that ran all along ends as if nothing had changed");
  const emitted = upstream.calls("m-two").at(-1)?.tokens ?? 0;
  assert.equal(running.deltas, emitted);
  const call = (await trailOf(changing, accountId)).calls.get(running.callId);
  assert.equal(call?.charged, 250n + 10n * BigInt(emitted));
}

/** A key is refused at once where it was revoked, and within a second on the other node. */
export async function assertRevokedEverywhere(nodes: readonly [Gateway, Gateway]): Promise<void> {
  const [revoking, other] = nodes;
  const { key, keyId } = await revoking.customer();
  const accepts = async (node: Gateway): Promise<boolean> => {
    const { status } = await node.get(key, "/v1/balance");
    assert.ok(status === 200 || status === 401, `status ${status}`);
    return status === 200;
  };
  let revokedAt = Infinity;
  /** When the last request that was accepted began. It asks without a rest: being used keeps no key alive. */
  const lastAccepted = async (node: Gateway): Promise<number> => {
    for (let acceptedAt = -Infinity; ; await pause(5)) {
      const startedAt = performance.now();
      if (await accepts(node)) acceptedAt = startedAt;
      else if (startedAt > revokedAt + 1_500) return acceptedAt;
    }
  };
  for (const node of nodes) assert.ok(await accepts(node));
  const asking = Promise.all([lastAccepted(revoking), lastAccepted(other)]);
  assert.equal((await revoking.admin("DELETE", `/keys/${keyId}`)).status, 204);
  revokedAt = performance.now();
  const [here, there] = await asking;
  assert.ok(here <= revokedAt, `accepted here ${here - revokedAt} ms after the revocation`);
  assert.ok(there <= revokedAt + 1_000, `accepted there ${there - revokedAt} ms after the revocation`);
  for (const node of nodes) {
    const call = await chatToEnd({ url: node.url, key, body: { model: "m-chat", messages: hello } });
    assert.deepEqual([call.status, call.json().error.code], [401, "invalid_api_key"]);
  }
}
