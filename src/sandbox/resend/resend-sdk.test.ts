import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Resend } from "resend";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "re_k"): Resend => new Resend(apiKey, { baseUrl: `${sandbox.url}/resend` });
const letter = { from: "Us <us@example.com>", to: ["you@example.com"], subject: "Hello", text: "Hi" };

test("a message is taken and has an id of its own", async () => {
  const first = await client().emails.send({ ...letter, replyTo: "us@example.com", cc: "them@example.com" });
  const second = await client().emails.send({ ...letter, replyTo: "us@example.com", cc: "them@example.com" });
  assert.match(first.data?.id ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(second.data?.id, first.data?.id);
});

test("under the same key the same id comes again, and another message is refused", async () => {
  const options = { idempotencyKey: `key-${process.pid}` };
  const first = await client().emails.send(letter, options);
  const again = await client().emails.send(letter, options);
  assert.equal(again.data?.id, first.data?.id);
  const other = await client().emails.send({ ...letter, text: "Bye" }, options);
  assert.deepEqual([other.error?.statusCode, other.error?.name], [409, "invalid_idempotent_request"]);
});

test("refusals have the provider's names", async () => {
  const refused = async (more: object, key?: string) => {
    const { error } = await client(key).emails.send({ ...letter, ...more });
    return [error?.statusCode, error?.name];
  };
  assert.deepEqual(await refused({}, "invalid"), [403, "invalid_api_key"]);
  assert.deepEqual(await refused({ from: "nobody" }), [422, "invalid_from_address"]);
  assert.deepEqual(await refused({ from: "us@unverified.com" }), [403, "validation_error"]);
  assert.deepEqual(await refused({ to: [] }), [422, "missing_required_field"]);
  assert.deepEqual(await refused({ to: ["nobody"] }), [422, "validation_error"]);
  const many = Array.from({ length: 51 }, (_, at) => `you${at}@example.com`);
  assert.deepEqual(await refused({ to: many }), [422, "validation_error"]);
  assert.deepEqual(await refused({ text: "[sandbox:fault-429]" }), [429, "rate_limit_exceeded"]);
  assert.deepEqual(await refused({ text: "[sandbox:fault-500]" }), [500, "internal_server_error"]);
});
