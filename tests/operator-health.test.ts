import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
});

test("O-05 the operator reads the lag of the event loop, and nobody else does", async () => {
  await pause(200);
  const { status, body } = await gateway.admin("GET", "/health");
  assert.equal(status, 200);
  const { p50, p99, p99_9: p999, max } = body.event_loop_lag_ms;
  for (const lag of [p50, p99, p999, max]) assert.ok(typeof lag === "number" && lag >= 0);
  assert.ok(p50 <= p99 && p99 <= p999 && p999 <= max);
  assert.ok(p50 < 200, `an idle server is late by ${p50} ms`);
  assert.equal(body.open_calls, 0);
  const { key } = await gateway.customer();
  for (const secret of ["", key]) assert.equal((await gateway.get(secret, "/admin/v1/health")).status, 401);
});
