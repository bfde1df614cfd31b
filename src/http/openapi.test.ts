import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { silentLog } from "../core/log.ts";
import type { Door } from "./door.ts";
import { openapiDoor, openapiOf } from "./openapi.ts";
import { frontServer } from "./server.ts";

test("the document is made once, however often it is asked for", async (t) => {
  let made = 0;
  const all = (): readonly Door[] => {
    made += 1;
    return doors;
  };
  const doors: readonly Door[] = [openapiDoor(all, "1.0.0")];
  const nobody = (): never => {
    throw new Error("this door is open to all");
  };
  const server = frontServer({
    doors,
    doorkeeper: { callerOf: nobody, isOperator: nobody, forget: () => undefined },
    log: silentLog,
    maxBodyBytes: 1_000,
    headersFor: async () => ({}),
  }).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const url = `http://127.0.0.1:${address.port}/openapi.json`;
  for (let asked = 0; asked < 3; asked += 1) {
    const response = await fetch(url);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.match(response.headers.get("x-request-id") ?? "", /^req_/);
    assert.deepEqual(await response.json(), openapiOf(doors, "1.0.0"));
  }
  const { headers } = await fetch(url, { method: "HEAD" });
  assert.ok(Number(headers.get("content-length")) > 1_000);
  assert.equal(made, 1);
});
