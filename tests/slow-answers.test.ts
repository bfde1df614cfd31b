import assert from "node:assert/strict";
import { test } from "node:test";
import { ok } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import { startGateway } from "./support/gateway.ts";
import { isWholePlan } from "./support/plan-scale.ts";

const skip = isWholePlan ? false : "takes more than a minute: `npm run test:plan`";

test(
  "a whole answer that takes its provider more than a minute arrives, and nobody else is asked",
  { skip },
  async (t) => {
    const upstream = await startFakeUpstream();
    const other = await startFakeUpstream();
    const gateway = await startGateway({
      p1: upstream.baseUrl,
      p2: other.baseUrl,
      environment: { SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "", SKILLBOSS_CALL_TIMEOUT_MS: "900000" },
    });
    t.after(() => Promise.all([gateway.stop(), upstream.stop(), other.stop()]));
    const { key } = await gateway.customer();
    upstream.script("m-two", ok({ afterMs: 65_000 }));
    const messages = [{ role: "user", content: "Write a long story." }];
    const response = await gateway.chat(key, { model: "m-two", messages, max_tokens: 2_000 });
    assert.equal(response.status, 200, await response.text());
    assert.deepEqual([upstream.log.length, other.log.length], [1, 0]);
  },
);
