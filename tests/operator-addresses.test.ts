import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ok, status } from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { hello } from "./support/stream-reader.ts";

/**
 * Case F-06 of the test plan: addresses of providers that the operator names, private ones among them. The plan adds them
 * in a console and tests a connection there; here they come from the environment and the catalog's files alone, so there
 * is nothing for anybody else to call. That a file needs the operator's word for a private address is in `config.test.ts`.
 */
let server: FakeUpstream;
let gateway: Gateway;
let customer: Customer;
before(async () => {
  server = await startFakeUpstream();
  gateway = await startGateway({ environment: { OLLAMA_BASE_URL: server.baseUrl } });
  customer = await gateway.customer();
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await server.stop();
});

test("F-06 a private address that the operator's environment names serves live calls", async () => {
  server.script("tiny", ok());
  const answer = await gateway.chat(customer.key, { ...hello, model: "ollama/tiny" });
  assert.equal(answer.status, 200, await answer.text());
  assert.equal(server.calls("tiny").length, 1);
});

test("F-06 what a host that is no provider answers is shown to nobody and kept in no log", async () => {
  const page = "<html><title>Inner wiki</title>the secret of the house</html>";
  for (const code of [200, 302, 403, 500]) {
    server.script(`wiki-${code}`, status(code, { "content-type": "text/html" }, page));
    const answer = await gateway.chat(customer.key, { ...hello, model: `ollama/wiki-${code}` });
    assert.ok(answer.status >= 400);
    assert.doesNotMatch(await answer.text(), /wiki<|secret of the house|Inner/);
  }
  assert.doesNotMatch(gateway.log(), /secret of the house|Inner wiki/);
});

test("F-06 nobody names a provider's address over the wire, neither a customer nor the operator", async () => {
  const provider = { id: "ollama", base_url: "http://169.254.169.254/v1" };
  for (const path of ["/providers", "/providers/ollama", "/providers/ollama/test"]) {
    for (const method of ["POST", "PUT", "PATCH"])
      assert.equal((await gateway.admin(method, path, provider)).status, 404, `${method} ${path}`);
  }
  for (const member of [{ base_url: provider.base_url }, { provider }, { api_base: provider.base_url }]) {
    const answer = await gateway.chat(customer.key, { ...hello, model: "ollama/tiny", ...member });
    assert.equal(answer.status, 200);
    const [call] = server.calls("tiny").slice(-1);
    assert.doesNotMatch(JSON.stringify(call), /169\.254/);
  }
});
