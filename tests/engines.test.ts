/** Engines as a customer sees them: live mode, no provider has a key, real work on this machine, at no cost. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { PDFDocument, StandardFonts } from "pdf-lib";
import { SMTPServer } from "smtp-server";
import { findProgram } from "../src/engines/find-program.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let site: Server;
let siteUrl: string;
let mail: SMTPServer;
const letters: string[] = [];
let gateway: Gateway;
let customer: Customer;

const page = `<!doctype html><html><head><title>On balances</title><script>document.title = "no"</script></head>
<body><nav><a href="/home">Home</a></nav><article><h1>On balances</h1>${"<p>A balance that is prepaid is never overdrawn, whatever comes. </p>".repeat(12)}
<p>See <a href="/more">more</a>.</p></article><footer>Imprint</footer></body></html>`;

async function pdfOf(pages: number): Promise<Buffer> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (let number = 1; number <= pages; number += 1)
    document.addPage().drawText(`This is page ${number} of ${pages}.`, { x: 50, y: 700, size: 14, font });
  return Buffer.from(await document.save());
}

before(async () => {
  const pdf = await pdfOf(30);
  site = createServer((request, response) => {
    if (request.url === "/robots.txt") response.writeHead(200).end("User-agent: *\nDisallow: /private\n");
    else if (request.url === "/report.pdf")
      response.writeHead(200, { "content-type": "application/pdf" }).end(pdf);
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const { port } = site.address() as AddressInfo;
  siteUrl = `http://127.0.0.1:${port}`;
  mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        letters.push(Buffer.concat(parts).toString("utf8"));
        done();
      });
    },
  });
  mail.listen(0, "127.0.0.1");
  await once(mail.server, "listening");
  const smtp = mail.server.address() as AddressInfo;
  gateway = await startGateway({
    environment: {
      SKILLBOSS_EGRESS_ALLOW: `127.0.0.1:${port}`,
      SKILLBOSS_SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      SKILLBOSS_SMTP_FROM: "SkillBoss <hello@example.com>",
      SKILLBOSS_SMTP_TLS: "when_offered",
    },
  });
  customer = await gateway.customer();
});
after(async () => {
  await endsClean(gateway);
  site.closeAllConnections();
  await new Promise((resolve) => site.close(resolve));
  await new Promise<void>((resolve) => mail.close(() => resolve()));
});

type Answer = {
  readonly status: number;
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
};

async function run(model: string, inputs: object): Promise<Answer> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, inputs }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function assertServedFree(answer: Answer, by: string): void {
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.headers.get("x-skillboss-model"), by);
  assert.equal(answer.headers.get("x-skillboss-cost"), "0.000000");
}

for (const model of ["local/scrape", "firecrawl/scrape"]) {
  test(`${model} reads a page here when no provider has a key, and says who served`, async () => {
    const answer = await run(model, { url: `${siteUrl}/` });
    assertServedFree(answer, "local/scrape");
    assert.match(answer.body.markdown, /# On balances/);
    assert.doesNotMatch(answer.body.markdown, /Imprint/);
    assert.equal(answer.body.data.markdown, answer.body.markdown);
  });
}

test("a page that robots.txt closes, and an address that nobody may name, are refused at no cost", async () => {
  const closed = await run("local/scrape", { url: `${siteUrl}/private` });
  assert.deepEqual([closed.status, closed.body.error.code], [400, "invalid_request"]);
  assert.match(closed.body.error.message, /robots\.txt/);
  for (const url of ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "http://[::1]/"]) {
    const refused = await run("local/scrape", { url });
    assert.deepEqual([refused.status, refused.body.error.code], [400, "url_not_allowed"], url);
  }
});

test("a document of 30 pages is read here, page by page, from an address and from an upload", async () => {
  const answer = await run("local/parse", { document_url: `${siteUrl}/report.pdf` });
  assertServedFree(answer, "local/parse");
  assert.deepEqual(answer.body.usage, { pages: 30, num_pages: 30 });
  assert.match(JSON.stringify(answer.body.result.chunks[29]), /page 30 of 30/);
  const upload = await fetch(`${gateway.url}/v1/files?name=report.pdf`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/pdf" },
    body: new Uint8Array(await pdfOf(2)),
  });
  const { url } = (await upload.json()) as { readonly url: string };
  const own = await run("local/parse", { document_url: url });
  assert.deepEqual([own.status, own.body.usage], [200, { pages: 2, num_pages: 2 }], JSON.stringify(own.body));
});

test("of a document's usual inputs those that are not understood here are named, whoever was asked", async () => {
  const inputs = {
    document_url: `${siteUrl}/report.pdf`,
    max_pages: 2,
    chunk_mode: "section",
    table_output_format: "html",
    settings: { ocr_system: "standard", document_password: "not needed" },
  };
  for (const model of ["local/parse", "reducto/parse"]) {
    const answer = await run(model, inputs);
    assertServedFree(answer, "local/parse");
    assert.deepEqual(answer.body.usage, { pages: 2, num_pages: 2 });
    assert.equal(
      answer.headers.get("x-skillboss-dropped"),
      "chunk_mode, table_output_format, settings.ocr_system",
    );
  }
  const whole = await run("local/parse", {
    ...inputs,
    chunk_mode: "disabled",
    table_output_format: "md",
    settings: {},
  });
  assert.deepEqual([whole.body.result.chunks.length, whole.headers.get("x-skillboss-dropped")], [1, null]);
});

test("a QR code is drawn here and lies at an address that needs no key", async () => {
  const answer = await run("local/image", { operation: "qr", text: "https://example.com/", size: 256 });
  assertServedFree(answer, "local/image");
  const image = await fetch(answer.body.image_url);
  assert.deepEqual([image.status, image.headers.get("content-type")], [200, "image/png"]);
});

test("an e-mail leaves through the operator's server, once, and headers cannot be smuggled in", async () => {
  const answer = await run("local/email", { to: ["ada@example.org"], subject: "Hello", text: "Hello Ada." });
  assertServedFree(answer, "local/email");
  assert.equal(letters.length, 1);
  assert.match(letters[0] ?? "", /^Subject: Hello\r$/m);
  const smuggled = await run("local/email", {
    to: ["ada@example.org"],
    subject: "Hello\r\nBcc: eve@example.org",
    text: "Hello.",
  });
  assert.equal(smuggled.status, 400);
  assert.equal(letters.length, 1);
});

const espeak = findProgram("espeak-ng", process.env["PATH"] ?? "");
const speaks = espeak === undefined ? "no espeak-ng" : false;

test(
  "OpenAI's voices are left out where the engine has others, and an unknown voice is refused",
  { skip: speaks },
  async () => {
    const speech = (voice: unknown) =>
      fetch(`${gateway.url}/v1/audio/speech`, {
        method: "POST",
        headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "local/speech", input: "Hello there.", voice }),
      });
    for (const [voice, dropped] of [
      ["alloy", "voice"],
      ["ash", "voice"],
      [{ id: "sage" }, "voice"],
      ["en-us+f3", null],
    ] as const) {
      const spoken = await speech(voice);
      assert.deepEqual(
        [spoken.status, spoken.headers.get("content-type"), spoken.headers.get("x-skillboss-dropped")],
        [200, "audio/wav", dropped],
        JSON.stringify(voice),
      );
      assert.ok((await spoken.arrayBuffer()).byteLength > 1000);
    }
    const refused = await speech("englisch");
    const { error } = (await refused.json()) as { error: { param: string; message: string } };
    assert.deepEqual([refused.status, error.param], [400, "inputs.voice"]);
    assert.match(error.message, /en-us/);
  },
);

test("an engine that needs a program says what to install", async () => {
  const answer = await run("local/transcribe", { audio_data: "UklGRg==", filename: "a.wav" });
  assert.deepEqual([answer.status, answer.body.error.code], [503, "provider_not_configured"]);
  assert.match(answer.body.error.message, /SKILLBOSS_WHISPER.* A test key works without\.$/);
});
