import assert from "node:assert/strict";
import type { Gateway } from "./gateway.ts";

const quiesceMs = 15_000;

/** Something that the gateway used, such as a fake upstream. */
type Used = { readonly stop: () => Promise<unknown> };

/**
 * What must hold after every file: no call is left open, every book adds up, nothing failed unseen, and the gateway
 * ends when it is told to. Ends all of them in any case, so that a failure cannot keep the test process alive.
 */
export async function endsClean(gateway: Gateway, ...used: readonly Used[]): Promise<void> {
  try {
    await assertAudited(gateway);
    assert.equal(await gateway.stop(), 0);
    assert.doesNotMatch(gateway.log(), /unhandled|uncaught/i);
  } finally {
    gateway.abandon();
    await Promise.all(used.map((one) => one.stop()));
  }
}

async function assertAudited(gateway: Gateway): Promise<void> {
  const giveUpAt = performance.now() + quiesceMs;
  let audit = await gateway.admin("POST", "/audit");
  while (audit.body.open_holds > 0 && performance.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    audit = await gateway.admin("POST", "/audit");
  }
  assert.deepEqual([audit.body.ok, audit.body.open_holds, audit.body.faults], [true, 0, []]);
}
