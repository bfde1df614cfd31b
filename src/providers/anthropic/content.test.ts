import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage, ContentPart } from "../../core/chat.ts";
import { isJsonObject } from "../../core/json-object.ts";
import { anthropicChat } from "./chat.ts";
import { callOf, hello, refusedParam, sent, targetWith } from "./sample-call.test-support.ts";

function firstBlock(...content: readonly unknown[]): unknown {
  const turns = sent({ messages: [{ role: "user", content: content as readonly ContentPart[] }] }).body[
    "messages"
  ];
  assert.ok(Array.isArray(turns) && isJsonObject(turns[0]) && Array.isArray(turns[0]["content"]));
  return turns[0]["content"][0];
}

function refusedPart(part: unknown, target = targetWith()): string {
  const content = [{ type: "text", text: "See:" }, part] as readonly ContentPart[];
  return refusedParam({ messages: [{ role: "user", content }] }, target);
}

const image = (url: string): ContentPart => ({ type: "image_url", image_url: { url, detail: "high" } });
const file = (members: Extract<ContentPart, { type: "file" }>["file"]): ContentPart => ({
  type: "file",
  file: members,
});
const base64 = (mediaType: string, data: string): object => ({
  type: "image",
  source: { type: "base64", media_type: mediaType, data },
});

test("data URLs of images are read with parameters, in any case, and as percent-encoded bytes", () => {
  assert.deepEqual(firstBlock(image("data:image/png;base64,iVBORw0=")), base64("image/png", "iVBORw0="));
  const withParameters = "data:image/webp;charset=utf-8;name=a.webp;base64,AAAA";
  assert.deepEqual(firstBlock(image(withParameters)), base64("image/webp", "AAAA"));
  assert.deepEqual(firstBlock(image("DATA:IMAGE/JPG;BASE64,AAAA")), base64("image/jpeg", "AAAA"));
  assert.deepEqual(firstBlock(image("data:image/gif,GIF89a%00%FF")), base64("image/gif", "R0lGODlhAP8="));
  assert.deepEqual(firstBlock(image("data:image/png;base64,-_8%3D\n")), base64("image/png", "+/8="));
});

test("addresses of images go on as they are", () => {
  const url = "https://example.com/a.png?x=1,2;3";
  assert.deepEqual(firstBlock(image(url)), { type: "image", source: { type: "url", url } });
});

test("images that the provider does not take are refused by name", () => {
  const param = "messages[0].content[1].image_url.url";
  const bad = [
    "data:image/svg+xml;base64,AAAA",
    "data:image/png;base64,",
    "data:image/png;base64",
    "ftp://x/y",
  ];
  for (const url of [...bad, "data:image/png;base64,a*b", "", "gs://b/o"]) {
    assert.equal(refusedPart(image(url)), param, url);
  }
  const blind = targetWith({ vision: false });
  assert.equal(refusedPart(image("https://example.com/a.png"), blind), "messages[0].content[1]");
});

test("a PDF is a document with its name, text is a document of plain text", () => {
  assert.deepEqual(
    firstBlock(file({ file_data: "data:application/pdf;base64,JVBERg==", filename: "a.pdf" })),
    {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
      title: "a.pdf",
    },
  );
  assert.deepEqual(firstBlock(file({ file_data: "data:text/plain;charset=utf-8;base64,w7g=" })), {
    type: "document",
    source: { type: "text", media_type: "text/plain", data: "ø" },
  });
});

test("files by id, of other types or without data, and audio are refused by name", () => {
  const at = "messages[0].content[1]";
  assert.equal(refusedPart(file({ file_id: "file-1" })), `${at}.file.file_id`);
  assert.equal(refusedPart(file({})), `${at}.file.file_data`);
  assert.equal(refusedPart(file({ file_data: "JVBERg==" })), `${at}.file.file_data`);
  assert.equal(refusedPart(file({ file_data: "data:application/zip;base64,AAAA" })), `${at}.file.file_data`);
  const pdf = file({ file_data: "data:application/pdf;base64,AAAA" });
  assert.equal(refusedPart(pdf, targetWith({ pdf: false })), `${at}.file.file_data`);
  assert.equal(refusedPart({ type: "input_audio", input_audio: { data: "AA", format: "wav" } }), at);
  assert.equal(refusedPart({ type: "video_url", video_url: { url: "x" } }), `${at}.type`);
});

test("a file behind an address is refused before anything is held for it, or goes to a provider that fetches it", () => {
  const file = (data: string): ContentPart => ({ type: "file", file: { file_data: data } });
  const refusal = (part: ContentPart): string | null | undefined => {
    const { request } = callOf({ messages: [...hello, { role: "user", content: [question, part] }] });
    return anthropicChat.refusalOf(request, targetWith())?.param;
  };
  const question: ContentPart = { type: "text", text: "What is it?" };
  assert.equal(refusal(file("https://example.com/a.pdf")), "messages[1].content[1].file.file_data");
  assert.equal(refusal(file("data:application/pdf;base64,JVBERi0=")), undefined);
});

test("cache_control is kept on parts, tools, results and the request, without a dearer lifetime", () => {
  const cache = { type: "ephemeral" };
  const part = { type: "text", text: "Long", cache_control: { type: "ephemeral", ttl: "1h" } };
  const tool = { type: "function" as const, function: { name: "look" }, cache_control: cache };
  const { body, dropped } = sent({
    messages: [{ role: "user", content: [part as ContentPart] }],
    tools: [tool],
    cache_control: { type: "ephemeral", ttl: "5m" },
  });
  assert.deepEqual(body["messages"], [
    { role: "user", content: [{ type: "text", text: "Long", cache_control: cache }] },
  ]);
  assert.deepEqual(body["cache_control"], cache);
  const inputSchema = { type: "object", properties: {} };
  assert.deepEqual(body["tools"], [{ name: "look", input_schema: inputSchema, cache_control: cache }]);
  assert.deepEqual(dropped, ["cache_control.ttl"]);
});

test("the mark of a part within a tool's result stands on the result, where it is taken", () => {
  const cache = { cache_control: { type: "ephemeral" } };
  const call = { id: "c", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const result = (mark: object, ofMessage: object) => ({
    role: "tool" as const,
    tool_call_id: "c",
    content: [
      { type: "text" as const, text: "1" },
      { type: "text" as const, text: "2", ...mark },
    ],
    ...ofMessage,
  });
  const told = (message: ChatMessage): unknown => {
    const messages = [...hello, { role: "assistant" as const, tool_calls: [call] }, message];
    const turns: unknown = sent({ messages, tools: [{ type: "function", function: { name: "look" } }] }).body[
      "messages"
    ];
    return Array.isArray(turns)
      ? (turns as readonly { readonly content: unknown }[]).at(-1)?.content
      : undefined;
  };
  const content = [
    { type: "text", text: "1" },
    { type: "text", text: "2" },
  ];
  const block = { type: "tool_result", tool_use_id: "c", content };
  assert.deepEqual(told(result({}, {})), [block]);
  for (const marked of [result(cache, {}), result({}, cache), result(cache, cache)])
    assert.deepEqual(told(marked), [{ ...block, ...cache }]);
});
