import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import twilio from "twilio";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is the provider's own SDK; a client of ours leads its hosts to the sandbox. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const account = `AC${"a1".repeat(16)}`;
const service = `VA${"b2".repeat(16)}`;
const hosts: Readonly<Record<string, string>> = {
  "api.twilio.com": "twilio",
  "verify.twilio.com": "twilio-verify",
};

function client(token = "token"): twilio.Twilio {
  const base = new twilio.RequestClient();
  const httpClient = {
    request: (options: Parameters<typeof base.request>[0]) => {
      const { host, pathname, search } = new URL(options.uri);
      return base.request({ ...options, uri: `${sandbox.url}/${hosts[host]}${pathname}${search}` });
    },
  };
  return twilio(account, token, { httpClient: Object.assign(Object.create(base), httpClient) });
}

const from = "+15005550006";

test("a message is queued, with its segments and without a price", async () => {
  const message = await client().messages.create({ to: "+14155550100", from, body: "Hello" });
  assert.match(message.sid, /^SM[0-9a-f]{32}$/);
  assert.deepEqual(
    [message.status, message.numSegments, message.to, message.from, message.price],
    ["queued", "1", "+14155550100", from, null],
  );
  assert.ok(message.dateCreated instanceof Date && !Number.isNaN(message.dateCreated.getTime()));
  const again = await client().messages.create({ to: "+14155550100", from, body: "Hello" });
  assert.notEqual(again.sid, message.sid);
});

test("long messages and other alphabets take more segments", async () => {
  const segments = async (body: string) =>
    (await client().messages.create({ to: "+14155550100", from, body })).numSegments;
  assert.equal(await segments("a".repeat(160)), "1");
  assert.equal(await segments("a".repeat(161)), "2");
  assert.equal(await segments(`${"a".repeat(158)}€`), "1");
  assert.equal(await segments(`${"a".repeat(159)}€`), "2");
  assert.equal(await segments("я".repeat(70)), "1");
  assert.equal(await segments("👋".repeat(36)), "2");
});

test("a verification is pending until the right code comes", async () => {
  const verify = client().verify.v2.services(service);
  const begun = await verify.verifications.create({ to: "+14155550100", channel: "sms" });
  assert.match(begun.sid, /^VE[0-9a-f]{32}$/);
  assert.deepEqual([begun.status, begun.valid, begun.channel], ["pending", false, "sms"]);
  const wrong = await verify.verificationChecks.create({ to: "+14155550100", code: "000000" });
  assert.deepEqual([wrong.status, wrong.valid, wrong.sid], ["pending", false, begun.sid]);
  const right = await verify.verificationChecks.create({ to: "+14155550100", code: "123456" });
  assert.deepEqual([right.status, right.valid], ["approved", true]);
});

test("refusals are the SDK's own errors with the provider's numbers", async () => {
  const send = (more: object, token?: string) =>
    client(token).messages.create({ to: "+14155550100", from, body: "Hi", ...more });
  const verify = client().verify.v2;
  const cases: readonly (readonly [Promise<unknown>, number, number])[] = [
    [send({}, "invalid"), 401, 20003],
    [send({ to: "+15005550001" }), 400, 21211],
    [send({ to: "+15005550009" }), 400, 21614],
    [send({ from: "+15005550007" }), 400, 21606],
    [send({ body: "[sandbox:fault-429]" }), 429, 20429],
    [send({ body: "[sandbox:fault-500]" }), 500, 20500],
    [verify.services(service).verifications.create({ to: "nobody", channel: "sms" }), 400, 60200],
    [verify.services(service).verifications.create({ to: "+15005550009", channel: "sms" }), 403, 60205],
    [verify.services("VAnone").verifications.create({ to: "+14155550100", channel: "sms" }), 404, 20404],
    [verify.services(service).verificationChecks.create({ to: from, code: "1234" }), 404, 20404],
  ];
  for (const [asked, status, code] of cases) {
    await assert.rejects(asked, (reason) => {
      assert.ok(reason instanceof twilio.RestException);
      assert.deepEqual([reason.status, reason.code], [status, code]);
      return true;
    });
  }
});
