import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BadRequestException,
  GetAccountCommand,
  MailFromDomainNotVerifiedException,
  MessageRejected,
  SESv2Client,
  SESv2ServiceException,
  SendEmailCommand,
  TooManyRequestsException,
} from "@aws-sdk/client-sesv2";
import type { EmailContent } from "@aws-sdk/client-sesv2";
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

const client = (accessKeyId = "AKIASANDBOX"): SESv2Client =>
  new SESv2Client({
    region: "eu-central-1",
    endpoint: `${sandbox.url}/ses`,
    credentials: { accessKeyId, secretAccessKey: "s" },
    maxAttempts: 1,
  });

function content(text: string): EmailContent {
  return {
    Simple: { Subject: { Data: "Hello" }, Body: { Text: { Data: text }, Html: { Data: `<p>${text}</p>` } } },
  };
}

type Mail = { readonly from?: string; readonly to?: readonly string[]; readonly text?: string };

function send({ from = "us@example.com", to = ["you@example.com"], text = "Hi" }: Mail, key?: string) {
  const destination = { ToAddresses: [...to], CcAddresses: ["Them <them@example.com>"] };
  return client(key).send(
    new SendEmailCommand({ FromEmailAddress: from, Destination: destination, Content: content(text) }),
  );
}

test("a message is taken and has an id of its own, also when it is raw", async () => {
  const { MessageId: id } = await send({});
  assert.match(id ?? "", /^[0-9a-f]{16}-[0-9a-f]{8}-/);
  const raw = await client().send(
    new SendEmailCommand({
      FromEmailAddress: "us@example.com",
      Destination: { ToAddresses: ["you@example.com"] },
      Content: { Raw: { Data: Buffer.from("Subject: Hi\r\n\r\nHi") } },
    }),
  );
  assert.notEqual(raw.MessageId, id);
});

test("text that is not ASCII is taken with its character set alone", async () => {
  const letter = (charset: { Charset?: string }) =>
    client().send(
      new SendEmailCommand({
        FromEmailAddress: "us@example.com",
        Destination: { ToAddresses: ["you@example.com"] },
        Content: {
          Simple: { Subject: { Data: "Grüße", ...charset }, Body: { Text: { Data: "Hi" } } },
        },
      }),
    );
  assert.notEqual((await letter({ Charset: "UTF-8" })).MessageId, undefined);
  await assert.rejects(letter({}), BadRequestException);
});

test("the account can be asked for", async () => {
  const account = await client().send(new GetAccountCommand({}));
  assert.equal(account.SendQuota?.MaxSendRate, 14);
});

test("refusals are the SDK's own exceptions", async () => {
  await assert.rejects(send({ to: ["nobody"] }), BadRequestException);
  const many = Array.from({ length: 50 }, (_, at) => `you${at}@example.com`);
  await assert.rejects(send({ to: many }), BadRequestException);
  await assert.rejects(send({ from: "us@unverified.com" }), MailFromDomainNotVerifiedException);
  await assert.rejects(send({ to: ["suppressed@example.com"] }), MessageRejected);
  await assert.rejects(send({ text: "[sandbox:fault-429]" }), TooManyRequestsException);
  await assert.rejects(
    send({}, "invalid"),
    (reason) => reason instanceof SESv2ServiceException && reason.name === "UnrecognizedClientException",
  );
});

test("a request that is not signed for this service is refused", async () => {
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${sandbox.url}/ses/v2/email/account`, { headers });
    return [response.status, response.headers.get("x-amzn-errortype")];
  };
  const refused = [403, "MissingAuthenticationTokenException"];
  assert.deepEqual(await ask({}), refused);
  const signed = (service: string): Record<string, string> => ({
    authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20270115/eu-central-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
    "x-amz-date": "20270115T080000Z",
  });
  assert.deepEqual(await ask(signed("s3")), refused);
  assert.deepEqual(await ask(signed("ses")), [200, null]);
});
