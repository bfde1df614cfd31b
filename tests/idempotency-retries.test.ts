/** Case C-10 of the test plan: the retries that OpenAI's SDKs make by themselves do not multiply charges. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import { startBreakingProxy } from "./support/breaking-proxy.ts";
import type { BreakingProxy } from "./support/breaking-proxy.ts";
import { endsClean } from "./support/clean-end.ts";
import * as fake from "./support/fake-behaviours.ts";
import { startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { quietAudit } from "./support/money-trail.ts";
import { perMillion } from "./support/priced-usage.ts";
import { chargesOf } from "./support/repeated-requests.ts";
import { collected, joined, kits, user } from "./support/sdk.ts";
import type { Kit } from "./support/sdk.ts";

const usual = perMillion({ fresh: "0.125", cached: "0.0125", output: "0.5" });

/** What the provider does with the first call; it answers the second. */
const failures: Readonly<Record<string, fake.Behaviour>> = {
  reset: fake.resetBeforeFirstByte(),
  "reset-midway": fake.resetAfter(3),
  500: fake.status(500),
  429: fake.status(429, { "retry-after": "1" }),
  hang: fake.hangBeforeHeaders(),
};

let upstream: FakeUpstream;
let gateway: Gateway;
let proxy: BreakingProxy;
before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({
    p1: upstream.baseUrl,
    moreModels: Object.fromEntries(Object.keys(failures).map((kind) => [`m-${kind}`, usual])),
    environment: { SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "700" },
  });
  proxy = await startBreakingProxy(gateway.port);
});
after(() => endsClean(gateway, upstream, proxy));

/** With the SDK's own retries, two of them, and a connection of its own for every try. */
function clientFor(kit: Kit, { key }: Customer): OpenAI {
  const client = kit.connect({ baseURL: `${proxy.url}/v1`, apiKey: key, maxRetries: 2 });
  return client.withOptions({ defaultHeaders: { connection: "close" } });
}

async function assertOneCharge(customer: Customer, id: string | undefined): Promise<void> {
  await quietAudit(gateway);
  assert.equal((await chargesOf(gateway, customer)).length, 1, id);
}

const messages = [user("Hi")];
const once = () => ({ headers: { "Idempotency-Key": randomUUID() } });

for (const [name, kit] of Object.entries(kits)) {
  test(`C-10 ${name}: however the connection breaks, one call is charged and its answer arrives`, async () => {
    for (const way of ["asked", "answered"] as const) {
      upstream.script("m-chat", fake.ok({ afterMs: way === "asked" ? 200 : 0 }));
      const customer = await gateway.customer();
      const brokenBefore = proxy.broken();
      proxy.breakNext(way);
      const answer = await clientFor(kit, customer).chat.completions.create(
        { model: "m-chat", messages },
        once(),
      );
      assert.equal(proxy.broken(), brokenBefore + 1, way);
      assert.match(answer.choices[0]?.message.content ?? "", /^(?:tok )+$/);
      await assertOneCharge(customer, way);
    }
  });

  test(`C-10 ${name}: an answer that broke off midway, which the SDK gives up, is had by asking again`, async () => {
    upstream.script("m-chat", fake.ok());
    const customer = await gateway.customer();
    const client = clientFor(kit, customer);
    const options = once();
    const ask = () => client.chat.completions.create({ model: "m-chat", messages }, options);
    proxy.breakNext("midway");
    await assert.rejects(ask());
    assert.match((await ask()).choices[0]?.message.content ?? "", /^(?:tok )+$/);
    await assertOneCharge(customer, name);
  });

  test(`C-10 ${name}: a stream whose connection broke before its answer arrived is charged once`, async () => {
    const customer = await gateway.customer();
    const client = clientFor(kit, customer);
    // The whole stream is one part: all of it was lost, and none of it was left unread.
    upstream.script("m-chat", fake.ok());
    const options = once();
    const body = { model: "m-chat", messages, stream: true } as const;
    const first = joined(await collected(await client.chat.completions.create(body, options)));
    proxy.breakNext("answered");
    const again = joined(await collected(await client.chat.completions.create(body, options)));
    assert.deepEqual(again, first);
    assert.equal(first.finish, "stop");
    await assertOneCharge(customer, name);
  });

  test(
    `C-10 ${name}: a provider that fails once costs one charge, and Retry-After is obeyed`,
    { timeout: 60_000 },
    async () => {
      const kinds = Object.entries(failures);
      await Promise.all(
        kinds.map(async ([kind, failure]) => {
          const model = `m-${kind}`;
          // A refused or reset connection is tried once more by the gateway itself.
          upstream.script(model, fake.sequence([failure, fake.ok()]));
          const customer = await gateway.customer();
          const answer = await clientFor(kit, customer).chat.completions.create({ model, messages }, once());
          assert.match(answer.choices[0]?.message.content ?? "", /^(?:tok )+$/, kind);
          await assertOneCharge(customer, kind);
        }),
      );
    },
  );

  test(`C-10 ${name}: 400 and 402 are not tried again`, async () => {
    const [rich, poor] = [await gateway.customer(), await gateway.customer({ credits: "0.00" })];
    const body = { model: "m-chat", messages };
    await assert.rejects(
      clientFor(kit, rich).chat.completions.create({ ...body, temperature: 9 }, once()),
      kit.errors.BadRequestError,
    );
    await assert.rejects(clientFor(kit, poor).chat.completions.create(body, once()), { status: 402 });
  });

  test(`C-10 ${name}: a key that was done with another body is an error at once`, async () => {
    const customer = await gateway.customer();
    const client = clientFor(kit, customer);
    const options = once();
    await client.chat.completions.create({ model: "m-chat", messages }, options);
    await assert.rejects(
      client.chat.completions.create({ model: "m-chat", messages, seed: 1 }, options),
      kit.errors.UnprocessableEntityError,
    );
    await assertOneCharge(customer, name);
  });

  test(`C-10 ${name} sends no key by itself, nor for its option idempotencyKey: the header is needed`, async () => {
    const customer = await gateway.customer();
    const client = clientFor(kit, customer);
    const body = { model: "m-chat", messages };
    for (let times = 0; times < 2; times += 1)
      await client.chat.completions.create(body, { idempotencyKey: "not sent" });
    assert.equal((await chargesOf(gateway, customer)).length, 2);
  });
}
