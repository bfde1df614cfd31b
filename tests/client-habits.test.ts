/** What clients of the public contract send to every model alike, on `POST /v1/run` (test mode). */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PDFDocument } from "pdf-lib";
import { endsClean } from "./support/clean-end.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

let gateway: Gateway;
let customer: Customer;

before(async () => {
  gateway = await startGateway();
  customer = await gateway.customer({ mode: "test" });
});
after(() => endsClean(gateway));

async function post(body: object) {
  const response = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${customer.key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  const told: any = await response.json();
  return { status: response.status, body: told, dropped: response.headers.get("x-skillboss-dropped") };
}

const run = (model: string, inputs: object) => post({ model, inputs });

async function assertRuns(model: string, inputs: object, dropped: string | null = null): Promise<void> {
  const answer = await run(model, inputs);
  assert.equal(answer.status, 200, `${model} ${JSON.stringify(inputs)}: ${JSON.stringify(answer.body)}`);
  assert.equal(answer.dropped, dropped, model);
}

async function refusal(body: object): Promise<string> {
  const answer = await post(body);
  assert.deepEqual([answer.status, answer.body.error?.code], [400, "invalid_request"], JSON.stringify(body));
  return answer.body.error.message;
}

test("one thing under several names at once is taken by the model's own name", async () => {
  const both = { text: "Hello", input: "Hello", voice: "alloy", voice_id: "alloy" };
  await assertRuns("openai/tts-1", both);
  await assertRuns("openai/tts-1", { text: "Other", input: "Hello" });
  await assertRuns("minimax/speech-2.8-hd", { text: "Hello", input: "Hello", prompt: "Hello" });
  const voices = { voice: "21m00Tcm4TlvDq8ikWAM", voice_id: "21m00Tcm4TlvDq8ikWAM" };
  await assertRuns("elevenlabs/eleven_multilingual_v2", { text: "Hello", input: "Hello", ...voices });
  await assertRuns("linkup/search", { q: "tea", query: "tea" });
});

test("one address in a list is that address; several are refused with what to do", async () => {
  await assertRuns("firecrawl/scrape", { urls: ["https://example.com/"] });
  const told = await refusal({
    model: "firecrawl/scrape",
    inputs: { urls: ["https://example.com/", "https://example.com/a"] },
  });
  assert.match(told, /^inputs\.urls: takes one value, not a list of 2: ask once for each/);
});

test("what a category's clients send by habit is left out and named; what is misspelt is refused", async () => {
  await assertRuns(
    "openai/tts-1",
    { input: "Hello", speaker: "x", voice_setting: {} },
    "voice_setting, speaker",
  );
  await assertRuns(
    "luma/photon-1",
    { prompt: "A fox", num_outputs: 2, quality: "hd" },
    "quality, num_outputs",
  );
  await assertRuns("runway/gen-4.5", { prompt: "A fox", reference_images: [] }, "reference_images");
  await assertRuns("deepgram/nova-3", { audio_url: "https://example.com/talk.mp3", prompt: "x" }, "prompt");
  const misspelt = await refusal({
    model: "luma/photon-1",
    inputs: { prompt: "A fox", aspect_ration: "1:1" },
  });
  assert.match(misspelt, /did you mean aspect_ratio\?/);
});

test("a picture's size is understood in both spellings, by models that have it and by those with width and height", async () => {
  for (const size of ["1024*768", "1024x768"]) await assertRuns("flux-1.1-pro", { prompt: "A fox", size });
  // Larger than it makes: a picture of the same shape.
  for (const size of ["1024*1536", "1024x1536"])
    await assertRuns("flux-1.1-pro", { prompt: "A fox", size }, "size");
  await assertRuns("dall-e-3", { prompt: "A fox", size: "1024*1024" });
  await assertRuns("luma/photon-1", { prompt: "A fox", size: "1024*1024" }, "size");
});

test("a file in base64, as the command line sends any, is the main file of a model that takes one", async () => {
  const document = await PDFDocument.create();
  document.addPage();
  const audio_data = Buffer.from(await document.save()).toString("base64");
  await assertRuns("reducto/parse", { audio_data, filename: "report.pdf" });
  await assertRuns("mistral/ocr", { audio_data, filename: "report.pdf" });
  const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await assertRuns("replicate/remove-bg", { audio_data: pixel, filename: "photo.png" });
  const told = await refusal({ model: "reducto/parse", inputs: { audio_data: "no base64 at all!" } });
  assert.match(told, /^inputs\.audio_data: /);
});

test("receivers with variables get a letter of their own each, as at the door for letters", async () => {
  const receivers = [
    { email: "ada@example.com", variables: { name: "Ada" } },
    { email: "bob@example.com", variables: { name: "Bob" } },
  ];
  const answer = await run("aws/send-emails", {
    title: "Hello {{name}}",
    body_html: "<p>{{name}}</p>",
    receivers,
  });
  assert.deepEqual(
    [answer.status, answer.body.count, answer.body.sent],
    [200, 2, 2],
    JSON.stringify(answer.body),
  );
  const plain = await run("aws/send-emails", {
    title: "Hello",
    body_html: "<p>Hi</p>",
    receivers: [{ email: "ada@example.com" }, "bob@example.com"],
  });
  assert.deepEqual([plain.status, plain.body.usage], [200, { emails: 2 }], JSON.stringify(plain.body));
});

test("a run that is to be streamed is made whole, and says that it was not", async () => {
  const answer = await post({
    model: "flux-1.1-pro",
    inputs: { prompt: "A fox" },
    stream: true,
    webhook: null,
  });
  assert.deepEqual([answer.status, answer.dropped], [200, "stream"]);
});

test("members of a run that belong within inputs are told so, and misspelt ones what was meant", async () => {
  const inputs = { prompt: "x" };
  assert.match(await refusal({ model: "flux-1.1-pro", input: inputs }), /^input: .*did you mean inputs\?/);
  assert.match(await refusal({ model: "flux-1.1-pro", prompt: "x" }), /^prompt: .*within inputs/);
  assert.match(await refusal({ model: "flux-1.1-pro", inputs, asinc: true }), /did you mean async\?/);
});

test("what a schema has against an input is told in our words, at the name that was given", async () => {
  const told = async (model: string, inputs: object) => refusal({ model, inputs });
  assert.match(
    await told("flux-1.1-pro", { text: ["a", "b"] }),
    /^inputs\.text: takes one value, not a list/,
  );
  assert.match(await told("flux-1.1-pro", { prompt: { a: 1 } }), /^inputs\.prompt: want a text/);
  assert.match(
    await told("twilio/verify-check", { to: "+14155550100", code: "!" }),
    /^inputs\.code: want a text.*: \w/,
  );
  assert.match(await told("firecrawl/scrape", { url: "no address" }), /^inputs\.url: want an address/);
});

test("a chat that comes as a run takes a system text and Anthropic's tools, and a webhook that is null", async () => {
  const answer = await post({
    model: "claude-4-5-sonnet",
    webhook: null,
    inputs: {
      system: "Answer in one word. [sandbox:tokens-3]",
      messages: [
        { role: "user", content: "What is the weather?" },
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "t1", name: "weather", input: { city: "Oslo" } }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "rain" }] },
      ],
      tools: [
        { name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
      ],
      tool_choice: { type: "auto" },
      max_tokens: 50,
    },
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const plain = await post({
    model: "claude-4-5-sonnet",
    inputs: { messages: [{ role: "user", content: "What is the weather?" }], max_tokens: 50 },
  });
  assert.ok(
    answer.body.usage.prompt_tokens > plain.body.usage.prompt_tokens + 10,
    "the system text and the tools are read",
  );
  assert.match(
    await refusal({
      model: "claude-4-5-sonnet",
      inputs: { system: 5, messages: [{ role: "user", content: "Hi" }] },
    }),
    /^inputs\.system: /,
  );
});

test("a picture in the result of a tool reaches a model of each wire, which goes on from it", async () => {
  const source = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
  const content = [
    { type: "text", text: "Oslo" },
    { type: "image", source },
  ];
  const messages = [
    { role: "user", content: "Look at the map." },
    { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "look", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content }] },
  ];
  const tools = [{ name: "look", input_schema: { type: "object" } }];
  for (const model of ["claude-4-5-sonnet", "gpt-4o-mini"]) {
    const { status, body } = await post({ model, inputs: { messages, tools, max_tokens: 50 } });
    assert.equal(status, 200, JSON.stringify(body));
    assert.doesNotMatch(JSON.stringify(body), /tool_calls":\[/, model);
    assert.match(JSON.stringify(body), /Oslo/, model);
  }
});
