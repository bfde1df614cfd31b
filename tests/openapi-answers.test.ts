import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { openaiRequestMembers } from "../src/providers/openai/request-members.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";

/** The OpenAPI document says what is really answered. */
let gateway: Gateway;
let key: string;
// The document under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
let paths: any;
before(async () => {
  gateway = await startGateway();
  key = (await gateway.customer({ mode: "test" })).key;
  paths = (await gateway.get("", "/openapi.json")).body.paths;
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
});

function assertIs(schema: object, answer: unknown): void {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  assert.ok(Object.keys(schema).length > 1, "the form is written down");
  const is = ajv.compile(schema);
  assert.ok(is(answer), `${JSON.stringify(is.errors)}\n${JSON.stringify(answer).slice(0, 2_000)}`);
}

const formOf = (path: string, method: string, type = "application/json"): object =>
  paths[path][method].responses["200"].content[type].schema;

const tools = [
  {
    type: "function",
    function: { name: "look", parameters: { type: "object", properties: { at: { type: "string" } } } },
  },
];
const messages = [{ role: "user", content: "Hello there" }];
const chats = [
  { model: "gpt-4o-mini", messages },
  { model: "claude-4-5-sonnet", messages },
  { model: "gpt-4o-mini", messages, tools, tool_choice: "required" },
  { model: "claude-4-5-sonnet", messages, tools, tool_choice: "required" },
  { model: "gpt-4o-mini", messages, n: 2, max_tokens: 3 },
];

test("whole chats are as the document says", async () => {
  for (const request of chats) {
    const answer = await gateway.chat(key, request);
    assertIs(formOf("/v1/chat/completions", "post"), await answer.json());
  }
});

test("every chunk of a streamed chat is as the document says, the last one included", async () => {
  for (const request of chats) {
    const answer = await gateway.chat(key, {
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    const events = (await answer.text()).split("\n\n").filter((event) => event.startsWith("data: {"));
    assert.ok(events.length > 2);
    for (const event of events)
      assertIs(
        formOf("/v1/chat/completions", "post", "text/event-stream"),
        JSON.parse(event.slice("data: ".length)),
      );
  }
});

test("models, balance, usage and runs are as the document says", async () => {
  const { body: list } = await gateway.get(key, "/v1/models");
  assertIs(formOf("/v1/models", "get"), list);
  for (const id of ["gpt-4o-mini", "flux-1.1-pro"])
    assertIs(formOf("/v1/models/{id}", "get"), (await gateway.get(key, `/v1/models/${id}`)).body);
  assertIs(formOf("/v1/balance", "get"), (await gateway.get(key, "/v1/balance")).body);
  const run = await fetch(`${gateway.url}/v1/run`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "flux-1.1-pro", inputs: { prompt: "A sunset" } }),
  });
  const answer: { readonly id: string } = JSON.parse(await run.text());
  assertIs(formOf("/v1/run", "post"), answer);
  assertIs(formOf("/v1/job/{id}", "get"), (await gateway.get(key, `/v1/job/${answer.id}`)).body);
  for (const period of ["day", "month", "all"])
    assertIs(formOf("/v1/usage", "get"), (await gateway.get(key, `/v1/usage?period=${period}`)).body);
});

test("every member of a chat request that is known is in the document", () => {
  const { schema } = paths["/v1/chat/completions"].post.requestBody.content["application/json"];
  const told = new Set(Object.keys(schema.properties));
  for (const member of openaiRequestMembers) assert.ok(told.has(member), member);
  for (const member of ["top_k", "thinking"]) assert.ok(told.has(member), member);
});
