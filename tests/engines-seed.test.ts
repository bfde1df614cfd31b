/**
 * Endpoints of providers that an engine of this server stands in for: each of their fields that a customer sees in the
 * provider's answer, here told by its emulator, is there in the engine's answer to the same inputs.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SMTPServer } from "smtp-server";
import { loadCatalog } from "../src/catalog/load.ts";
import { onePagePdf } from "../src/engines/parse/sample-documents.test-support.ts";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

const catalog = loadCatalog({ directories: [join(import.meta.dirname, "..", "catalog")] });
/** Served by a provider, and by an engine while that has no key. */
const stoodInFor = catalog.models.flatMap((model) =>
  model.kind === "run" && model.offers.length > 1 && model.offers.some(({ work }) => "engine" in work)
    ? [model.id]
    : [],
);

type Case = { readonly inputs: (site: string) => object; readonly own: readonly string[] };

/** Inputs that bring out every field, and the fields that only the provider itself can know. */
const cases: Readonly<Record<string, Case>> = {
  "firecrawl/scrape": {
    inputs: (site) => ({
      url: `${site}/`,
      formats: ["markdown", "html", "rawHtml", "links", "images"],
      only_main_content: false,
      wait_for: 10,
      timeout: 60_000,
    }),
    own: ["metadata.proxyUsed", "metadata.cacheState", "metadata.scrapeId"],
  },
  "linkup/search": { inputs: () => ({ query: "prepaid balances" }), own: ["results[].favicon"] },
  "reducto/parse": {
    inputs: (site) => ({ document_url: `${site}/report.pdf` }),
    own: ["result.chunks[].blocks[]", "usage.credits"],
  },
  "aws/send-emails": {
    inputs: () => ({ to: ["ada@example.com"], subject: "Hello", text: "Hello there." }),
    own: [],
  },
};

const page = `<!doctype html><html lang="en"><head><title>On balances</title><meta name="description" content="What they are">
</head><body><h1>On balances</h1><p>Prepaid. <a href="/more">More</a> <img src="/a.png" alt="A"></p></body></html>`;

let site: Server;
let mail: SMTPServer;
let origin: string;
let gateway: Gateway;
let live: Customer;
let pretended: Customer;

before(async () => {
  const pdf = await onePagePdf("One page");
  const found = { results: [{ url: "https://example.com/", title: "On balances", content: "Prepaid" }] };
  site = createServer(({ url = "" }, response) => {
    if (url.startsWith("/search"))
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
    else if (url === "/report.pdf") response.writeHead(200, { "content-type": "application/pdf" }).end(pdf);
    else if (url === "/") response.writeHead(200, { "content-type": "text/html" }).end(page);
    else response.writeHead(404).end();
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      stream.resume().on("end", () => done());
    },
  });
  mail.listen(0, "127.0.0.1");
  await once(mail.server, "listening");
  gateway = await startGateway({
    environment: {
      SKILLBOSS_EGRESS_ALLOW: new URL(origin).host,
      SKILLBOSS_SEARXNG_URL: origin,
      SKILLBOSS_SMTP_URL: `smtp://127.0.0.1:${(mail.server.address() as AddressInfo).port}`,
      SKILLBOSS_SMTP_FROM: "hello@example.com",
      SKILLBOSS_SMTP_TLS: "when_offered",
    },
  });
  [live, pretended] = [await gateway.customer(), await gateway.customer({ mode: "test" })];
});
after(async () => {
  await endsClean(gateway);
  site.closeAllConnections();
  await new Promise((resolve) => site.close(resolve));
  await new Promise<void>((resolve) => mail.close(() => resolve()));
});

async function answerTo(model: string, { key }: Customer): Promise<Record<string, unknown>> {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, inputs: cases[model]?.inputs(origin) }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(response.status, 200, JSON.stringify(body));
  return body;
}

/** Where a value is and of which kind, such as `results[].url: string`; of a list its items together. */
function fieldsOf(value: unknown, place = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(item, `${place}[]`));
  if (typeof value !== "object" || value === null) return [`${place}: ${typeof value}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    fieldsOf(inner, place === "" ? name : `${place}.${name}`),
  );
}

test("every endpoint that an engine stands in for is compared", () => {
  assert.deepEqual(stoodInFor.toSorted(), Object.keys(cases).toSorted());
});

for (const [model, { own }] of Object.entries(cases)) {
  test(`${model} has each of its fields where its clients look when an engine serves it`, async () => {
    const theirs = new Set(fieldsOf(await answerTo(model, pretended)));
    const ours = new Set(fieldsOf(await answerTo(model, live)));
    const lacking = [...theirs].filter((field) => !ours.has(field));
    assert.deepEqual(
      lacking.filter((field) => !own.some((only) => field.startsWith(only))),
      [],
    );
    assert.ok(theirs.size > 8, "too few fields were compared");
  });
}
