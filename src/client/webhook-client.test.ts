import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "./client.ts";
import { startFakeApi } from "./fake-api.ts";

const delivery = { id: "msg_1", state: "given_up", body: "{}" };
const secret = { secret: "whsec_x", generation: 1, replaced: [] };

test("Every call of webhooks has its address, and ids are one segment of it.", async () => {
  const api = await startFakeApi({
    "GET /v1/webhooks/deliveries": { body: { data: [delivery], has_more: false } },
    "GET /v1/webhooks/deliveries/msg%2F1": { body: delivery },
    "POST /v1/webhooks/deliveries/msg_1/replay": { status: 202, body: delivery },
    "GET /v1/webhooks/secret": { body: secret },
    "POST /v1/webhooks/secret/rotate": { body: secret },
  });
  const { webhooks } = createClient({ baseUrl: api.url, token: "sk-test-x" });
  assert.equal((await webhooks.list()).data.length, 1);
  await webhooks.list({ state: "given_up", limit: 2, after: "msg_0" });
  assert.equal((await webhooks.read("msg/1")).body, "{}");
  assert.equal((await webhooks.replay("msg_1")).id, "msg_1");
  assert.equal((await webhooks.secret()).secret, "whsec_x");
  assert.equal((await webhooks.rotate()).generation, 1);
  assert.deepEqual(
    api.asked.map(({ method, path }) => `${method} ${path.replace("/v1/webhooks", "")}`),
    [
      "GET /deliveries",
      "GET /deliveries?state=given_up&limit=2&after=msg_0",
      "GET /deliveries/msg%2F1",
      "POST /deliveries/msg_1/replay",
      "GET /secret",
      "POST /secret/rotate",
    ],
  );
  await assert.rejects(webhooks.read(".."), { name: "ClientError", code: "not_found" });
  await api.close();
});
