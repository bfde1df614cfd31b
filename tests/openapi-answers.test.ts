import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openaiRequestMembers } from "../src/providers/openai/request-members.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { ToldDocument } from "./support/told-document.ts";

/** The OpenAPI document says what is really answered. */
let gateway: Gateway;
let key: string;
let told: ToldDocument;
before(async () => {
  gateway = await startGateway();
  key = (await gateway.customer({ mode: "test" })).key;
  told = await ToldDocument.at(gateway.url);
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
});

type Asked = { readonly body?: object; readonly headers?: Readonly<Record<string, string>> };

/** Asks with the customer's key at the door's own address, or at another one that it serves. */
function ask(door: string, { body, headers }: Asked = {}, address?: string): Promise<Response> {
  const [method = "", path = ""] = door.split(" ");
  const json = body === undefined ? {} : { "content-type": "application/json" };
  return fetch(gateway.url + (address ?? path), {
    method,
    headers: { authorization: `Bearer ${key}`, ...json, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const check = async (door: string, asked?: Asked, address?: string) =>
  told.check(door, await ask(door, asked, address));

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

test("chats are as the document says, whole and in every chunk of a stream, the last one included", async () => {
  for (const body of chats) {
    const whole = await check("POST /v1/chat/completions", { body });
    assert.equal(whole.object, "chat.completion");
    const stream = { stream: true, stream_options: { include_usage: true } };
    const chunk = await check("POST /v1/chat/completions", { body: { ...body, ...stream } });
    assert.equal(chunk.object, "chat.completion.chunk");
  }
});

test("models, balance and usage are as the document says", async () => {
  await check("GET /v1/models");
  for (const id of ["gpt-4o-mini", "flux-1.1-pro"])
    await check("GET /v1/models/{id}", {}, `/v1/models/${id}`);
  await check("GET /v1/balance");
  for (const period of ["day", "month", "all"])
    await check("GET /v1/usage", {}, `/v1/usage?period=${period}`);
});

const fox = { model: "flux-1.1-pro", inputs: { prompt: "A fox" } };

test("runs are as the document says, those that are waited for and those that go on as a job", async () => {
  const { id } = await check("POST /v1/run", { body: fox });
  await check("GET /v1/job/{id}", {}, `/v1/job/${id}`);
  const job = await check("POST /v1/run", { body: { ...fox, async: true } });
  assert.equal(job.status, "accepted");
  await check("GET /v1/run/{id}", {}, `/v1/run/${job.id}`);
});

test("the content of a file is as the document says, whole, in part and behind its end", async () => {
  const upload = await ask("POST /v1/files", {
    body: { note: "kept" },
    headers: { "content-type": "text/plain" },
  });
  const { id } = JSON.parse(await upload.text());
  for (const [range, status] of [
    ["bytes=2-5", 206],
    ["bytes=900-", 416],
  ] as const) {
    const headers = { range };
    const response = await ask("GET /v1/files/{id}/content", { headers }, `/v1/files/${id}/content`);
    assert.equal(response.status, status);
    await told.check("GET /v1/files/{id}/content", response);
  }
});

test("every member of a chat request that is known is in the document", () => {
  const { properties } = told.request("POST /v1/chat/completions", "application/json");
  for (const member of [...openaiRequestMembers, "top_k", "thinking"])
    assert.ok(member in properties, member);
});
