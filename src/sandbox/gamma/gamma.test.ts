import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unzipSync } from "fflate";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** There is no SDK: what is checked are the fields and states that the provider documents. */

let now = 1_800_000_000_000;
let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox({ now: () => now });
});
after(async () => {
  await sandbox.stop();
});

async function ask(path: string, body?: object, key = "sk-gamma-k") {
  const response = await fetch(`${sandbox.url}/gamma/v1.0/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "x-api-key": key, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const asked = { inputText: "Hikes in the Alps", textMode: "generate", numCards: 4 };

async function made(more: object) {
  const { body } = await ask("generations", { ...asked, ...more });
  now += 40;
  return (await ask(`generations/${body.generationId}`)).body;
}

test("a generation is pending, then completed, with its address and what it took", async () => {
  const { status, body } = await ask("generations", asked);
  assert.equal(status, 201);
  assert.deepEqual(Object.keys(body), ["generationId"]);
  const path = `generations/${body.generationId}`;
  assert.deepEqual((await ask(path)).body, { generationId: body.generationId, status: "pending" });
  now += 40;
  const { body: done } = await ask(path);
  assert.equal(done.status, "completed");
  assert.match(done.gammaUrl, /^https:\/\/gamma\.app\/docs\//);
  assert.deepEqual(done.credits, { deducted: 20, remaining: 3_000 });
  assert.equal(done.exportUrl, undefined);
  const plain = await made({ imageOptions: { source: "noImages" } });
  assert.equal(plain.credits.deducted, 12);
});

test("slides are a PowerPoint file with a slide for each card, and its address lasts a week", async () => {
  const { exportUrl } = await made({ exportAs: "pptx", inputText: 'Bread & "butter" <now>' });
  const file = await fetch(exportUrl);
  assert.match(file.headers.get("content-type") ?? "", /presentationml\.presentation$/);
  const files = unzipSync(new Uint8Array(await file.arrayBuffer()));
  const slides = Object.keys(files).filter((name) => /^ppt\/slides\/slide\d+\.xml$/.test(name));
  assert.equal(slides.length, 4);
  const first = Buffer.from(files["ppt/slides/slide1.xml"] ?? []).toString();
  assert.ok(first.includes("Bread &amp; &quot;butter&quot; &lt;now&gt;"));
  now += 604_800_000;
  assert.equal((await fetch(exportUrl)).status, 403);
});

test("a PDF has a page for each card", async () => {
  const { exportUrl } = await made({ exportAs: "pdf" });
  const text = Buffer.from(await (await fetch(exportUrl)).arrayBuffer()).toString("latin1");
  assert.equal(text.match(/\/Type \/Page /g)?.length, 4);
});

test("failures and refusals are told in the provider's form", async () => {
  const failed = await made({ inputText: "[sandbox:job-fail]" });
  assert.deepEqual([failed.status, failed.error.statusCode], ["failed", 500]);
  const refused = async (more: object, key?: string) => {
    const { status, body } = await ask("generations", { ...asked, ...more }, key);
    assert.deepEqual(Object.keys(body), ["message", "statusCode"]);
    assert.equal(body.statusCode, status);
    return status;
  };
  assert.equal(await refused({}, "invalid"), 401);
  assert.equal(await refused({ format: "Presentation" }), 400);
  assert.equal(await refused({ inputText: "" }), 400);
  assert.equal(await refused({ inputText: "[sandbox:fault-402]" }), 402);
  assert.equal((await ask("generations/nobody")).status, 404);
});
