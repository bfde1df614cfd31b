/** A customer's server is told when a run is over: a real gateway, a real receiver. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";

test("a run with a webhook tells the customer's server once, with the job, signed with the account's secret", async (t) => {
  const received: { readonly headers: Record<string, string>; readonly body: string }[] = [];
  const receiver = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      received.push({ headers, body: Buffer.concat(parts).toString("utf8") });
      response.writeHead(204).end();
    })();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  const gateway = await startGateway({ environment: { SKILLBOSS_EGRESS_ALLOW: `127.0.0.1:${port}` } });
  t.after(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await endsClean(gateway);
  });
  const { key } = await gateway.customer({ mode: "test" });
  const ask = async (webhook: string) => {
    const response = await fetch(`${gateway.url}/v1/run`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "flux-1.1-pro", inputs: { prompt: "A fox" }, webhook }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  const refused = await ask("http://169.254.169.254/latest");
  assert.deepEqual([refused.status, refused.body["error"]?.["code"]], [400, "url_not_allowed"]);
  const { status, body } = await ask(`http://127.0.0.1:${port}/hook`);
  assert.equal(status, 200);
  for (let tries = 0; received.length === 0 && tries < 300; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const [message] = received;
  assert.ok(message !== undefined);
  const { secret } = (await gateway.get(key, "/v1/webhooks/secret")).body;
  const told = new Webhook(secret).verify(message.body, message.headers) as Record<string, never>;
  assert.deepEqual([told["type"], told["data"]?.["job_id"]], ["run.completed", body["id"]]);
  const listed = await gateway.get(key, "/v1/webhooks/deliveries");
  assert.equal(listed.body.data[0].run_id, body["id"]);
  assert.equal(received.length, 1);
  // W-04: what it names is behind a signature that ends, and nobody guesses.
  const [address] = /http[^"]*\/v1\/files\/[^"]*/.exec(message.body) ?? assert.fail(message.body);
  const { searchParams } = new URL(address);
  const daysLeft = (Number(searchParams.get("expires")) - Date.now() / 1000) / 86_400;
  assert.ok(daysLeft > 0 && daysLeft <= 30, `${daysLeft} days`);
  assert.match(searchParams.get("signature") ?? "", /^[\w-]{22,}$/);
  assert.equal((await fetch(address)).status, 200);
  for (const other of [
    address.replace(/signature=./, (all) => `signature=${all.endsWith("A") ? "B" : "A"}`),
    address.replace(/\?.*/, ""),
  ])
    assert.ok([401, 404].includes((await fetch(other)).status), other);
});
