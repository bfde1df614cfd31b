import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSandbox } from "./sandbox.ts";
import type { RunningSandbox } from "./sandbox.ts";

/** What the frame does for every emulator, shown on some of them. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

type Asked = { readonly path?: string; readonly prompt?: string; readonly headers?: Record<string, string> };

function submit({ path = "/bfl/v1/flux-dev", prompt = "A fox", headers = {} }: Asked): Promise<Response> {
  return fetch(sandbox.url + path, {
    method: "POST",
    headers: { "x-key": "k", ...headers },
    body: JSON.stringify({ prompt }),
  });
}

test("an order is found in every kind of text: body, header, path, query, form, multipart", async () => {
  const order = "[sandbox:fault-418]";
  const form = new FormData();
  form.append("model_id", `scribe_v2 ${order}`);
  const key = { "xi-api-key": "k" };
  const asked: readonly Promise<Response>[] = [
    submit({ prompt: `A fox ${order}` }),
    submit({ headers: { "x-sandbox-fault": "418" } }),
    submit({ path: `/bfl/v1/${encodeURIComponent(order)}` }),
    submit({ path: `/bfl/v1/flux-dev?note=${encodeURIComponent(order)}` }),
    fetch(`${sandbox.url}/elevenlabs/v1/speech-to-text`, { method: "POST", headers: key, body: form }),
    fetch(`${sandbox.url}/elevenlabs/v1/voices`, { headers: { ...key, "x-sandbox-fault": "418" } }),
    fetch(`${sandbox.url}/reducto/parse`, {
      method: "POST",
      headers: { authorization: "Bearer k" },
      body: new URLSearchParams({ input: order }),
    }),
  ];
  for (const response of await Promise.all(asked)) assert.equal(response.status, 418);
});

test("any status can be ordered, and comes in the provider's form; 529 is a 503", async () => {
  for (const status of [400, 402, 409, 429, 500, 502, 503, 504]) {
    const response = await submit({ prompt: `[sandbox:fault-${status}]` });
    assert.equal(response.status, status);
    assert.deepEqual(Object.keys(JSON.parse(await response.text())), ["detail"]);
  }
  assert.equal((await submit({ prompt: "[sandbox:fault-529]" })).status, 503);
  assert.equal((await submit({ prompt: "[sandbox:fault-error]" })).status, 500);
});

test("answers break off, break, are empty, come late", async () => {
  await assert.rejects(async () => (await submit({ prompt: "[sandbox:fault-cut]" })).text());
  const malformed = await submit({ prompt: "[sandbox:fault-malformed]" });
  assert.equal(malformed.status, 200);
  const text = await malformed.text();
  assert.throws(() => JSON.parse(text), SyntaxError);
  assert.equal(await (await submit({ prompt: "[sandbox:fault-empty]" })).text(), "{}");
  const started = performance.now();
  await submit({ headers: { "x-sandbox-fault": "slow", "x-sandbox-delay-ms": "60" } });
  assert.ok(performance.now() - started >= 55);
  const hanging = fetch(`${sandbox.url}/bfl/v1/credits`, {
    headers: { "x-key": "k", "x-sandbox-fault": "hang" },
    signal: AbortSignal.timeout(100),
  });
  await assert.rejects(hanging, { name: "TimeoutError" });
});

test("files and streams break off and break as well", async () => {
  const speak = (order: string, path = ""): Promise<Response> =>
    fetch(`${sandbox.url}/elevenlabs/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb${path}`, {
      method: "POST",
      headers: { "xi-api-key": "k" },
      body: JSON.stringify({ text: `${"A longer text. ".repeat(20)}${order}` }),
    });
  const lengthOf = async (response: Promise<Response>): Promise<number> =>
    (await (await response).arrayBuffer()).byteLength;
  const whole = await lengthOf(speak("[sandbox:pace-0]"));
  assert.equal(await lengthOf(speak("[sandbox:pace-0]", "/stream")), whole);
  assert.ok((await lengthOf(speak("[sandbox:fault-malformed]"))) < whole * 0.6);
  assert.equal(await lengthOf(speak("[sandbox:fault-empty]")), 0);
  await assert.rejects(lengthOf(speak("[sandbox:fault-cut]")));
  await assert.rejects(lengthOf(speak("[sandbox:fault-cut]", "/stream")));
  const started = performance.now();
  await lengthOf(speak("[sandbox:pace-5]", "/stream"));
  assert.ok(performance.now() - started >= 100);
});

test("an answer without usage has none in the body and none in a header", async () => {
  const told = JSON.parse(await (await submit({})).text());
  assert.ok("cost" in told);
  const silent = JSON.parse(await (await submit({ prompt: "[sandbox:fault-nousage]" })).text());
  assert.deepEqual(Object.keys(silent), ["id", "polling_url"]);
  const speech = await fetch(`${sandbox.url}/elevenlabs/v1/text-to-speech/x`, {
    method: "POST",
    headers: { "xi-api-key": "k", "x-sandbox-fault": "nousage" },
    body: JSON.stringify({ text: "Hi" }),
  });
  assert.deepEqual([speech.status, speech.headers.get("character-cost")], [200, null]);
  const page = await fetch(`${sandbox.url}/firecrawl/v2/scrape`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({ url: "https://example.com/[sandbox:fault-nousage]" }),
  });
  assert.doesNotMatch(await page.text(), /creditsUsed/);
});

test("any credential is good, worn the way the provider wears it, except none and `invalid`", async () => {
  const statusOf = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(sandbox.url + path, { headers })).status;
  assert.equal(await statusOf("/bfl/v1/credits", { authorization: "Bearer k" }), 403);
  assert.equal(await statusOf("/bfl/v1/credits", { "x-key": "invalid" }), 403);
  assert.equal(await statusOf("/bfl/v1/credits", { "x-key": "k" }), 200);
  assert.equal(await statusOf("/linkup/v1/credits/balance", {}), 401);
  assert.equal(await statusOf("/linkup/v1/credits/balance", { authorization: "Bearer " }), 401);
  assert.equal(await statusOf("/linkup/v1/credits/balance", { authorization: "Token k" }), 401);
  assert.equal(await statusOf("/replicate/v1/account", { authorization: "Token k" }), 200);
});

test("an unknown address is a 404 and a body that is no JSON an error, in the provider's form", async () => {
  const unknown = await fetch(`${sandbox.url}/firecrawl/v3/scrape`, {
    headers: { authorization: "Bearer k" },
  });
  assert.deepEqual([unknown.status, JSON.parse(await unknown.text()).success], [404, false]);
  const broken = await fetch(`${sandbox.url}/linkup/v1/search`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: "{",
  });
  assert.deepEqual([broken.status, JSON.parse(await broken.text()).statusCode], [400, 400]);
  const undecodable = await fetch(`${sandbox.url}/replicate/v1/predictions/%E0`, {
    headers: { authorization: "Bearer k" },
  });
  assert.equal(undecodable.status, 404);
});

test("equal requests have equal results, and a sandbox that starts anew still knows its jobs", async () => {
  const now = 1_800_000_000_000;
  const [first, second] = await Promise.all([
    startSandbox({ now: () => now }),
    startSandbox({ now: () => now + 50 }),
  ]);
  try {
    const begin = async (): Promise<string> => {
      const response = await fetch(`${first.url}/bfl/v1/flux-dev`, {
        method: "POST",
        headers: { "x-key": "k" },
        body: JSON.stringify({ prompt: "A fox" }),
      });
      return JSON.parse(await response.text()).id;
    };
    const ids = [await begin(), await begin()];
    assert.notEqual(ids[0], ids[1]);
    const samples = await Promise.all(
      ids.map(async (id) => {
        const polled = await fetch(`${second.url}/bfl/v1/get_result?id=${id}`, { headers: { "x-key": "k" } });
        return JSON.parse(await polled.text()).result.sample;
      }),
    );
    assert.equal(samples[0], samples[1]);
    assert.ok(String(samples[0]).startsWith(`${second.url}/bfl/files/`));
    assert.equal((await fetch(samples[0])).headers.get("content-type"), "image/jpeg");
  } finally {
    await Promise.all([first.stop(), second.stop()]);
  }
});
