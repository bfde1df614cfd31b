import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startSandbox } from "../sandbox.ts";
import type { RunningSandbox } from "../sandbox.ts";

/** The judge is OpenAI's SDK, which Perplexity names for its Responses form; the search is judged by its documentation. */

let sandbox: RunningSandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  await sandbox.stop();
});

const client = (apiKey = "k"): OpenAI =>
  new OpenAI({ apiKey, baseURL: `${sandbox.url}/perplexity/v1`, maxRetries: 0 });

const question = "Why do tides differ?";
const webSearch = { type: "web_search" } as const;

test("a question is answered from the web, the same way each time, with what it took", async () => {
  const asked = { model: "perplexity/sonar", input: question, tools: [webSearch] };
  const response = await client().responses.create(asked);
  assert.match(response.output_text, /\[1\]\[2\]\[3\]$/);
  assert.deepEqual([response.object, response.status], ["response", "completed"]);
  const items: readonly { readonly type: string }[] = response.output;
  assert.deepEqual(
    items.map(({ type }) => type),
    ["search_results", "message"],
  );
  const { usage } = response;
  assert.ok(usage !== undefined && usage.input_tokens > 50 && usage.output_tokens > 20);
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  const details: unknown = "tool_calls_details" in usage ? usage.tool_calls_details : undefined;
  assert.deepEqual(details, { search_web: { invocation: 1 } });
  assert.deepEqual((await client().responses.create(asked)).output, response.output);
});

test("without the tool nothing is searched; an answer that is too long says so", async () => {
  const response = await client().responses.create({
    model: "perplexity/sonar",
    input: [{ role: "user", content: question }],
    max_output_tokens: 16,
  });
  assert.deepEqual(
    [response.status, response.incomplete_details?.reason, response.usage?.output_tokens],
    ["incomplete", "max_output_tokens", 16],
  );
  assert.equal(response.output.length, 1);
});

async function ask(path: string, body: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${sandbox.url}/perplexity${path}`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

test("an answer is JSON of the schema that is asked for", async () => {
  const schema = { type: "object", properties: { year: { type: "integer" } }, required: ["year"] };
  const format = { type: "json_schema", json_schema: { name: "facts", schema } };
  const { body } = await ask("/v1/agent", {
    model: "perplexity/sonar",
    input: question,
    response_format: format,
  });
  const [{ content }] = (body as { output: [{ content: [{ text: string }] }] }).output;
  assert.ok(Number.isInteger((JSON.parse(content[0].text) as { year: unknown }).year));
});

test("a search keeps to its filters", async () => {
  const { body } = await ask("/search", {
    query: ["tides", "moon"],
    max_results: 4,
    search_domain_filter: ["nature.com"],
  });
  const { results } = body as { results: { url: string; title: string; snippet: string }[] };
  assert.equal(results.length, 4);
  for (const { url, title, snippet } of results) {
    assert.ok(new URL(url).hostname === "nature.com" && title !== "" && snippet !== "");
  }
});

test("the routes that ended say what came after them", async () => {
  const asked = { model: "sonar", messages: [{ role: "user" as const, content: question }] };
  await assert.rejects(client().chat.completions.create(asked), (error) => {
    assert.ok(error instanceof OpenAI.PermissionDeniedError);
    assert.match(error.message, /Sonar is now the Agent API/);
    return error.type === "chat_completions_not_available";
  });
  assert.equal((await ask("/chat/completions", asked)).status, 403);
});

test("refusals are the SDK's own errors; members that are not known are named", async () => {
  const respond = (model: string, input: string, key?: string): Promise<unknown> =>
    client(key).responses.create({ model, input });
  await assert.rejects(respond("perplexity/sonar", "x", "invalid"), OpenAI.AuthenticationError);
  await assert.rejects(respond("perplexity/sonar", "[sandbox:fault-429]"), OpenAI.RateLimitError);
  await assert.rejects(respond("sonar-pro", "x"), /is not supported/);
  const { status, body } = await ask("/v1/responses", { model: "perplexity/sonar", input: "x", stop: "." });
  assert.deepEqual(
    [status, body],
    [
      400,
      {
        error: {
          message: 'invalid request body: json: unknown field "stop"',
          type: "invalid_request",
          code: 400,
          param: "stop",
        },
      },
    ],
  );
});
