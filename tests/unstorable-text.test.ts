/** Text that no database keeps, NUL and half characters, in every place where a customer or an operator may write text. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
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

type Asking = { readonly body?: string | FormData; readonly headers?: Readonly<Record<string, string>> };

/** The body as JSON text, so that escapes stand as a client may write them. */
async function ask(method: string, path: string, { body, headers = {} }: Asking = {}) {
  const token = path.startsWith("/admin/") ? gateway.token : customer.key;
  const json = typeof body === "string" ? { "content-type": "application/json" } : {};
  const response = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...json, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  // The answers of the API under test: each test asserts the members it reads.
  // oxlint-disable-next-line typescript/no-explicit-any
  const told: any = text.startsWith("{") ? JSON.parse(text) : {};
  return { status: response.status, body: told, text };
}

const unstorable = ["a\\u0000b", "\\ud800", "\\udc00 \\ud83d"];

test("a run takes text with NUL and half characters in it, as U+FFFD", async () => {
  for (const text of unstorable) {
    const drawn = await ask("POST", "/v1/run", {
      body: `{"model":"flux-1.1-pro","inputs":{"prompt":"${text}"}}`,
    });
    assert.equal(drawn.status, 200, drawn.text);
    const nested = await ask("POST", "/v1/run", {
      body: `{"model":"apify/reddit-scraper","inputs":{"input":{"${text}":["${text}"]}}}`,
    });
    assert.equal(nested.status, 200, nested.text);
    const misspelt = await ask("POST", "/v1/run", {
      body: `{"model":"flux-1.1-pro","inputs":{"prompt":"x","${text}":1}}`,
    });
    assert.deepEqual([misspelt.status, misspelt.body.error?.code], [400, "invalid_request"], misspelt.text);
  }
});

test("the doors of OpenAI's clients and of mail take such text as well", async () => {
  const bodies = (text: string): readonly (readonly [string, string])[] => [
    ["/v1/audio/speech", `{"model":"tts-1","input":"${text}"}`],
    ["/v1/embeddings", `{"model":"text-embedding-3-small","input":["${text}"]}`],
    ["/v1/images/generations", `{"prompt":"${text}","user":"${text}"}`],
    ["/v1/send-email", `{"title":"${text}","body_html":"${text}","receivers":["a@example.com"]}`],
    ["/v1/send-emails", `{"title":"${text}","body_html":"${text}","receivers":["a@example.com"]}`],
  ];
  for (const [path, body] of unstorable.flatMap(bodies)) {
    const answer = await ask("POST", path, { body });
    assert.equal(answer.status, 200, `${path} ${body}: ${answer.text.slice(0, 300)}`);
  }
});

test("addresses, file names and the names of accounts and keys with such text are refused or taken, never a fault", async () => {
  const account = `/admin/v1/accounts/${customer.accountId}`;
  for (const text of unstorable) {
    const asked: readonly (readonly [string, string])[] = [
      ["/v1/run", `{"model":"flux-1.1-pro","inputs":{"prompt":"x"},"webhook":"https://example.com/${text}"}`],
      ["/v1/run", `{"model":"${text}","inputs":{}}`],
      ["/v1/chat/completions", `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"${text}"}]}`],
      ["/v1/images/generations", `{"model":"${text}","prompt":"x"}`],
      ["/v1/webhooks", `{"url":"https://example.com/${text}"}`],
      ["/admin/v1/accounts", `{"name":"${text}"}`],
      [`${account}/keys`, `{"name":"${text}"}`],
      [`${account}/credits`, `{"mode":"test","amount":"1","note":"${text}","id":"${text}"}`],
    ];
    for (const [path, body] of asked) {
      const answer = await ask("POST", path, { body });
      assert.ok(answer.status < 500, `${path} ${body}: ${answer.text.slice(0, 300)}`);
    }
  }
  const names = ["a\0b.mp3", "a\ud800.mp3"];
  for (const name of names) {
    const form = new FormData();
    form.append("file", new File(["some text"], name));
    form.append("model", "whisper-1");
    form.append("prompt", name);
    for (const path of ["/v1/audio/transcriptions", "/v1/files"]) {
      const answer = await ask("POST", path, { body: form });
      assert.ok(answer.status < 500, `${path}: ${answer.text.slice(0, 300)}`);
    }
  }
});

test("no address and no question mark's member brings such text to the database", async () => {
  const { body: openapi } = await ask("GET", "/openapi.json");
  const paths = Object.entries<object>(openapi.paths);
  assert.ok(paths.length > 20);
  const members = "status limit model type from to account_id cursor after before mode ids period".split(" ");
  for (const text of ["a%00b", "%ED%A0%80"]) {
    const query = members.map((name) => `${name}=${text}`).join("&");
    for (const [path, methods] of paths) {
      const address = path.replaceAll(/\{[^}]+\}/g, text);
      for (const method of Object.keys(methods).map((one) => one.toUpperCase())) {
        const body = method === "GET" || method === "DELETE" ? {} : { body: "{}" };
        for (const asked of [address, `${path.replaceAll(/\{[^}]+\}/g, "x")}?${query}`]) {
          const answer = await ask(method, asked, body);
          assert.ok(answer.status < 500, `${method} ${asked}: ${answer.text.slice(0, 300)}`);
        }
      }
      for (const name of members) {
        if (!("get" in methods) || path.includes("{")) continue;
        const answer = await ask("GET", `${path}?${name}=${text}`);
        assert.ok(answer.status < 500, `GET ${path}?${name}: ${answer.text.slice(0, 300)}`);
      }
    }
  }
});
