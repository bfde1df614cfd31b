import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import sharp from "sharp";
import { openaiRequestMembers } from "../src/providers/openai/request-members.ts";
import { wavOf } from "../src/sandbox/media/wav.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { ToldDocument } from "./support/told-document.ts";

/** The OpenAPI document says what is really answered. */
let gateway: Gateway;
let key: string;
let told: ToldDocument;
/** Where nothing listens. */
const nobody = "127.0.0.1:1";
before(async () => {
  gateway = await startGateway({ environment: { SKILLBOSS_EGRESS_ALLOW: nobody } });
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
  const isJson = body !== undefined && !(body instanceof FormData);
  const json = isJson ? { "content-type": "application/json" } : {};
  return fetch(gateway.url + (address ?? path), {
    method,
    headers: { authorization: `Bearer ${key}`, ...json, ...headers },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
}

const check = async (door: string, asked?: Asked, address?: string) =>
  told.check(door, await ask(door, asked, address));

function formOf(texts: Readonly<Record<string, string>>, files: Readonly<Record<string, Blob>>): FormData {
  const form = new FormData();
  for (const [name, text] of Object.entries(texts)) form.append(name, text);
  for (const [name, file] of Object.entries(files)) form.append(name, file, "file");
  return form;
}

const recording = new Blob([wavOf({ ms: 1_200, rate: 8_000, seed: "a1b2c3d4e5f60718" })], {
  type: "audio/wav",
});

let picture: Blob;
before(async () => {
  const image = sharp({ create: { width: 64, height: 64, channels: 4, background: "teal" } });
  picture = new Blob([new Uint8Array(await image.png().toBuffer())], { type: "image/png" });
});

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
  const headers = { "if-none-match": "*" };
  for (const path of ["/v1/models", "/v1/v1/models"]) {
    await check(`GET ${path}`);
    assert.equal(await check(`GET ${path}`, { headers }), undefined);
  }
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

test("runs that fail are as the document says, by their id and in their events", async () => {
  const inputs = { prompt: "[sandbox:fault-529] A fox" };
  const refused = await ask("POST /v1/run", { body: { ...fox, inputs } });
  assert.ok(!refused.ok);
  const { run_id: id } = JSON.parse(await refused.text()).error;
  const job = await check("GET /v1/job/{id}", {}, `/v1/job/${id}`);
  assert.equal(job.status, "failed");
  await check("GET /v1/run/{id}/events", {}, `/v1/run/${id}/events`);
});

test("chats that come as runs are as the document says, whole and streamed", async () => {
  for (const { model, ...inputs } of chats) {
    const whole = await check("POST /v1/run", { body: { model, inputs } });
    assert.equal(whole.object, "chat.completion");
    const chunk = await check("POST /v1/run", { body: { model, inputs, stream: true } });
    assert.equal(chunk.object, "chat.completion.chunk");
  }
});

test("mail is as the document says, to all together and to each, at its own doors and as a run", async () => {
  const letter = { title: "Hi {{name}}", body_html: "<p>Hi {{name}}</p>" };
  const each = { ...letter, receivers: [{ email: "ada@example.com", variables: { name: "Ada" } }] };
  const joint = await check("POST /v1/send-email", { body: { ...letter, receivers: ["bob@example.com"] } });
  assert.equal(joint.object, "run");
  for (const door of ["POST /v1/send-email", "POST /v1/send-emails"]) {
    const { results } = await check(door, { body: each });
    assert.equal(results.length, 1);
  }
  const run = await check("POST /v1/run", { body: { model: "aws/send-emails", inputs: each } });
  assert.equal(run.sent, 1);
});

test("what is no JSON is told as what it is: the events of a run, the content of a file, the page of the engines", async () => {
  const { id } = await check("POST /v1/run", { body: fox });
  const first = await check("GET /v1/run/{id}/events", {}, `/v1/run/${id}/events`);
  assert.deepEqual(first, {});
  const seen = { headers: { "Last-Event-ID": "1000" } };
  assert.equal(await check("GET /v1/run/{id}/events", seen, `/v1/run/${id}/events`), undefined);
  const headers = { "content-type": "text/plain" };
  const upload = await ask("POST /v1/files", { body: { note: "kept" }, headers });
  const file = JSON.parse(await upload.text());
  for (const [range, status] of [
    ["", 200],
    ["bytes=2-5", 206],
    ["bytes=900-", 416],
  ] as const) {
    const door = "GET /v1/files/{id}/content";
    const response = await ask(door, { headers: { range } }, `/v1/files/${file.id}/content`);
    assert.equal(response.status, status);
    await told.check(door, response);
  }
  await check("GET /docs/engines.md");
});

test("sound and what is said are told as what they are, in each form that can be asked for", async () => {
  const input = { model: "tts-1", input: "Hello there" };
  for (const response_format of ["mp3", "wav", "pcm"])
    await check("POST /v1/audio/speech", { body: { ...input, voice: "alloy", response_format } });
  const listen = (door: string, fields: Readonly<Record<string, string>>) =>
    check(door, { body: formOf({ model: "whisper-1", ...fields }, { file: recording }) });
  for (const response_format of ["json", "verbose_json", "text", "srt", "vtt"]) {
    const fields = { response_format, "timestamp_granularities[]": "word" };
    await listen("POST /v1/audio/transcriptions", fields);
    await listen("POST /v1/audio/translations", fields);
  }
  for (const path of ["transcriptions", "translations"])
    await listen(`POST /v1/audio/${path}`, { stream: "true" });
});

test("pictures and vectors are as the document says, in each form that can be asked for", async () => {
  for (const response_format of ["url", "b64_json"])
    await check("POST /v1/images/generations", { body: { prompt: "A fox", response_format } });
  const body = { model: "flux-1.1-pro", prompt: "A fox", size: "1024x1024", background: "opaque" };
  await check("POST /v1/images/generations", { body });
  await check("POST /v1/images/generations", { body: { prompt: "A fox", stream: true } });
  for (const fields of [{}, { stream: "true" }, { n: "2", quality: "low", output_format: "webp" }]) {
    const form = formOf({ prompt: "A fox", ...fields }, { image: picture });
    await check("POST /v1/images/edits", { body: form });
  }
  for (const encoding_format of ["float", "base64"]) {
    const vectors = { model: "text-embedding-3-small", input: ["one", "two"], encoding_format };
    await check("POST /v1/embeddings", { body: vectors });
  }
});

test("files are as the document says, from the upload to the end", async () => {
  const file = await check("POST /v1/files", { body: formOf({ purpose: "user_data" }, { file: recording }) });
  await check("GET /v1/files");
  await check("GET /v1/files", {}, "/v1/files?limit=1");
  await check("GET /v1/files/{id}", {}, `/v1/files/${file.id}`);
  await check("DELETE /v1/files/{id}", {}, `/v1/files/${file.id}`);
});

test("messages to a customer's server and their secret are as the document says", async () => {
  await check("POST /v1/run", { body: { ...fox, webhook: `http://${nobody}/hook` } });
  const { data } = await check("GET /v1/webhooks/deliveries");
  assert.equal(data.length, 1);
  const [{ id }] = data;
  await check("POST /v1/webhooks/deliveries/{id}/replay", {}, `/v1/webhooks/deliveries/${id}/replay`);
  await check("GET /v1/webhooks/deliveries/{id}", {}, `/v1/webhooks/deliveries/${id}`);
  await check("POST /v1/webhooks/secret/rotate");
  const { replaced } = await check("GET /v1/webhooks/secret");
  assert.equal(replaced.length, 1);
});

test("what older clients and machines ask for is as the document says", async () => {
  for (const door of ["balance", "usage"]) await check(`GET /api/me/${door}`);
  await check("GET /v1/v1/models");
  await check("POST /v1/models", { body: { types: "chat" } });
  const { id } = await check("POST /v1/run", { body: fox });
  await check("POST /v1/run/{id}/cancel", { body: {} }, `/v1/run/${id}/cancel`);
  const { jobs } = await check("GET /v1/job");
  assert.ok(jobs.length > 0);
  for (const door of ["health", "ready", "openapi.json"]) await check(`GET /${door}`);
});

test("what the operator is answered is as the document says", async () => {
  const admin = (door: string, ids: readonly string[] = [], body?: object) => {
    const path = ids.reduce((all, id) => all.replace("{id}", id), door.split(" ")[1] ?? "");
    const headers = { authorization: `Bearer ${gateway.token}` };
    return check(door, { headers, ...(body === undefined ? {} : { body }) }, path);
  };
  const limits = { requests_per_minute: 7 };
  const { id } = await admin("POST /admin/v1/accounts", [], { name: "Ada", plan: "pro", limits });
  await admin("PATCH /admin/v1/accounts/{id}", [id], { limits: { requests_per_minute: null } });
  await admin("GET /admin/v1/accounts/{id}", [id]);
  await admin("GET /admin/v1/accounts");
  const grant = { credits: "25.00", mode: "test" };
  await admin("POST /admin/v1/accounts/{id}/credits", [id], grant);
  const wish = { mode: "test", models: ["gpt-4o-mini"] };
  const made = await admin("POST /admin/v1/accounts/{id}/keys", [id], wish);
  await admin("POST /admin/v1/accounts/{id}/keys", [id], { mode: "live", name: "second", limits });
  assert.equal((await gateway.chat(made.key, { model: "gpt-4o-mini", messages })).status, 200);
  await admin("GET /admin/v1/accounts/{id}/keys", [id]);
  const { data } = await check(
    "GET /admin/v1/accounts/{id}/transfers",
    { headers: { authorization: `Bearer ${gateway.token}` } },
    `/admin/v1/accounts/${id}/transfers?mode=test`,
  );
  const kinds = new Set(data.map(({ kind }: { kind: string }) => kind));
  assert.deepEqual(kinds, new Set(["grant", "hold", "settle"]));
  await admin("POST /admin/v1/audit");
  await admin("GET /admin/v1/health");
  await admin("DELETE /admin/v1/keys/{id}", [made.id]);
});

type Fields = Readonly<Record<string, string>>;
type Files = Readonly<Record<string, Blob>>;
const uploads = (): readonly (readonly [door: string, files: Files, fields: Fields])[] => [
  ["POST /v1/files", { file: recording }, {}],
  ["POST /v1/audio/transcriptions", { file: recording }, { model: "whisper-1" }],
  ["POST /v1/audio/translations", { file: recording }, { model: "whisper-1" }],
  ["POST /v1/images/edits", { image: picture }, { prompt: "A fox" }],
];

test("forms are in the document: what they need is needed, and what else they name is taken", async () => {
  const samples: Readonly<Record<string, string>> = {
    model: "gpt-image-edit",
    n: "1",
    size: "1024x1024",
    response_format: "json",
    stream: "false",
    temperature: "0",
    timestamp_granularities: "word",
    output_compression: "80",
    output_format: "webp",
    input_fidelity: "high",
    quality: "low",
    background: "opaque",
    language: "en",
  };
  for (const [door, files, fields] of uploads()) {
    const { properties, required } = told.request(door, "multipart/form-data");
    const needed = door.endsWith("edits") ? ["image"] : [...Object.keys(files), ...Object.keys(fields)];
    assert.deepEqual(required, needed, door);
    for (const name of needed) {
      const without = <Value>(all: Readonly<Record<string, Value>>) =>
        Object.fromEntries(Object.entries(all).filter(([one]) => one !== name));
      const { status } = await ask(door, { body: formOf(without(fields), without(files)) });
      assert.equal(status, 400, `${door} without ${name}`);
    }
    const own = door.endsWith("edits") ? { response_format: "url" } : {};
    const names = Object.keys(properties).filter((name) => !(name in files) && !(name in fields));
    const texts = names.filter((name) => name !== "mask").map((name) => [name, samples[name] ?? "text"]);
    const body = formOf({ ...fields, ...Object.fromEntries(texts), ...own }, files);
    const { status, headers } = await ask(door, { body });
    assert.equal(status, 200, `${door} with ${names.join()}`);
    assert.doesNotMatch(headers.get("x-skillboss-dropped") ?? "", /response_format|stream|model/);
  }
  assert.ok(told.request("POST /v1/files", "*/*"));
});

const lists = [
  "GET /v1/job",
  "GET /v1/webhooks/deliveries",
  "GET /v1/files",
  "GET /v1/usage",
  "GET /api/me/usage",
  "GET /v1/models",
];

test("what is asked for behind the ? is in the document with its form: what that allows is taken, what it excludes refused", async () => {
  let bounds = 0;
  for (const door of lists) {
    for (const { name, schema } of told.parameters(door, "query")) {
      const { enum: values = [], minimum, maximum } = schema;
      const taken = [...values, minimum, maximum].filter((value) => value !== undefined);
      const refused = taken.length === 0 ? [] : ["other", Number(minimum) - 1, Number(maximum) + 1];
      for (const [status, given] of [
        [200, taken],
        [400, refused],
      ] as const) {
        for (const value of given) {
          const answer = await ask(door, {}, `${door.split(" ")[1]}?${name}=${value}`);
          assert.equal(answer.status, status, `${door} ${name}=${value}: ${await answer.text()}`);
          bounds += 1;
        }
      }
    }
  }
  assert.ok(bounds > 40, `${bounds}`);
});

test("a file's name, the way on in events, and the headers that doors heed are in the document", async () => {
  const names = (door: string, place: "query" | "header") =>
    told.parameters(door, place).map(({ name }) => name);
  assert.deepEqual(names("POST /v1/files", "query"), ["name"]);
  assert.deepEqual(names("GET /v1/run/{id}/events", "query"), ["after"]);
  assert.deepEqual(names("GET /v1/run/{id}/events", "header"), ["Last-Event-ID"]);
  assert.deepEqual(names("GET /v1/files/{id}/content", "query"), ["expires", "signature"]);
  assert.deepEqual(names("POST /v1/run", "header"), ["Prefer", "Idempotency-Key"]);
  assert.deepEqual(names("POST /v1/models", "query"), []);
  const keyed = told.doors.filter((door) => names(door, "header").includes("Idempotency-Key"));
  const posts = told.doors.filter((door) => door.startsWith("POST ") && !door.endsWith("/news/{token}"));
  assert.deepEqual(keyed, posts);
  const misspelt = await ask("POST /v1/files", { body: { a: 1 } }, "/v1/files?nme=a.json");
  assert.equal(misspelt.status, 400);
});

test("doors that change something tell what they take, but for those that take nothing", () => {
  const changing = told.doors.filter((door) => /^(?:POST|PATCH) /.test(door) && !told.takes(door));
  assert.deepEqual(changing.toSorted(), [
    "POST /admin/v1/audit",
    "POST /v1/run/{id}/news/{token}",
    "POST /v1/webhooks/deliveries/{id}/replay",
    "POST /v1/webhooks/secret/rotate",
  ]);
});

test("every member of a chat request that is known is in the document", () => {
  const { properties } = told.request("POST /v1/chat/completions", "application/json");
  for (const member of [...openaiRequestMembers, "top_k", "thinking"])
    assert.ok(member in properties, member);
});

/** Answers that no customer can order: runs that outlast the request, files that a paid run lacks, providers' calls. */
const unordered = [
  "POST /v1/audio/speech 200 application/json",
  "POST /v1/audio/speech 202 application/json",
  "POST /v1/audio/transcriptions 202 application/json",
  "POST /v1/audio/translations 202 application/json",
  "POST /v1/embeddings 202 application/json",
  "POST /v1/images/edits 202 application/json",
  "POST /v1/images/generations 202 application/json",
  "POST /v1/run/{id}/news/{token} 204",
  "POST /v1/send-email 202 application/json",
];

test("no door's answer is without a form, and each was held against it by the tests above", () => {
  assert.ok(told.doors.length > 45, `${told.doors.length}`);
  assert.deepEqual(told.formless, []);
  assert.deepEqual(told.unseen.toSorted(), unordered);
});
