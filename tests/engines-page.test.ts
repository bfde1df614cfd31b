/** Every model says where its documentation is; that of the engines is a page of this server. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => endsClean(gateway));

test("no model of the built-in data is without documentation, and what engines do can be read without a key", async () => {
  const { key } = await gateway.customer({ mode: "test" });
  const { body } = await gateway.get(key, "/v1/models");
  const builtIn: { id: string; doc: string | null; providers: string[] }[] = body.data.filter(
    ({ id }: { id: string }) => !id.startsWith("m-"),
  );
  const without = builtIn.filter(({ doc }) => doc === null).map(({ id }) => id);
  assert.deepEqual(without, []);
  const page = await fetch(`${gateway.url}/docs/engines.md`);
  assert.equal(page.headers.get("content-type"), "text/markdown; charset=utf-8");
  const text = await page.text();
  const local = builtIn.filter(({ id }) => id.startsWith("local/"));
  assert.ok(local.length >= 8);
  for (const { id, doc } of local) {
    const name = id.slice("local/".length);
    assert.equal(doc, `${gateway.url}/docs/engines.md#${name}`);
    assert.ok(text.includes(`\n## ${name}\n`), id);
    assert.ok(text.includes(`\`${id}\``), id);
  }
});
