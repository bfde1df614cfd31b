import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { endsClean } from "./support/clean-end.ts";
import { eventually, startFakeUpstream } from "./support/fake-upstream.ts";
import type { FakeUpstream } from "./support/fake-upstream.ts";
import type { Customer } from "./support/gateway-api.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { rawRequest, sendRaw } from "./support/raw-http.ts";
import type { RawAnswer } from "./support/raw-http.ts";

/** Where one may come in: cases. */

let upstream: FakeUpstream;
let gateway: Gateway;
let customer: Customer;

before(async () => {
  upstream = await startFakeUpstream();
  gateway = await startGateway({ p1: upstream.baseUrl });
  customer = await gateway.customer();
});
beforeEach(() => upstream.clear());
after(() => endsClean(gateway, upstream));

const chatBody = JSON.stringify({ model: "m-chat", messages: [{ role: "user", content: "hi" }] });

function chat(headers: readonly string[]): Promise<RawAnswer> {
  const all = [...headers, "Content-Type: application/json", "Connection: close"];
  return sendRaw(gateway.port, rawRequest("POST /v1/chat/completions", all, chatBody));
}

type Operation = {
  readonly method: string;
  readonly path: string;
  /** The path as it is documented. */
  readonly template: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  /** Its JSON body has the name of a model. */
  readonly namesModel: boolean;
};

type Documented = {
  readonly security: Operation["security"];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly properties?: object } }>>;
  };
};

async function operations(): Promise<readonly Operation[]> {
  const response = await fetch(`${gateway.url}/openapi.json`);
  const { paths } = JSON.parse(await response.text());
  return Object.entries<Record<string, Documented>>(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { security, requestBody }]) => ({
      method: method.toUpperCase(),
      path: template.replaceAll(/\{\w+\}/g, "m-two"),
      template,
      security,
      namesModel: "model" in (requestBody?.content["application/json"]?.schema.properties ?? {}),
    })),
  );
}

/** The same secret in every place where somebody might look for one. */
function otherForms(
  secret: string,
): readonly { readonly label: string; readonly headers: readonly string[]; readonly query: string }[] {
  const header = (text: string) => ({ label: text.split(":")[0] ?? "", headers: [text], query: "" });
  const queries = ["key", "api_key", "apikey", "access_token", "token", "authorization"];
  return [
    ...["x-api-key", "api-key", "x-goog-api-key", "x-auth-token", "proxy-authorization"].map((name) =>
      header(`${name}: ${secret}`),
    ),
    header(`x-authorization: Bearer ${secret}`),
    header(`Cookie: key=${secret}; api_key=${secret}; authorization=Bearer ${secret}`),
    ...queries.map((name) => ({ label: `?${name}=`, headers: [], query: `?${name}=${secret}` })),
  ];
}

const forbidden = { model: "m-two", messages: [{ role: "user", content: "hi" }] };
const forbiddenForm = (): FormData => {
  const form = new FormData();
  form.set("model", forbidden.model);
  for (const name of ["image", "file"]) form.set(name, new Blob(["x"]), "x.bin");
  return form;
};
/** A call of the forbidden model at every documented route that takes the name of one. */
const forbiddenCalls: Readonly<Record<string, string | FormData | undefined>> = {
  "/v1/chat/completions": JSON.stringify(forbidden),
  "/v1/run": JSON.stringify({ model: forbidden.model, inputs: { messages: forbidden.messages } }),
  "/v1/images/generations": JSON.stringify({ model: forbidden.model, prompt: "x" }),
  "/v1/images/edits": forbiddenForm(),
  "/v1/audio/speech": JSON.stringify({ model: forbidden.model, input: "x", voice: "x" }),
  "/v1/audio/transcriptions": forbiddenForm(),
  "/v1/audio/translations": forbiddenForm(),
  "/v1/embeddings": JSON.stringify({ model: forbidden.model, input: "x" }),
  "/v1/models/{id}": undefined,
};

/** The plan has 403 on every route; those that name no model have none to forbid. */
async function assertForbidden({ method, path, template }: Operation, key: string): Promise<void> {
  const body = forbiddenCalls[template];
  const response = await fetch(gateway.url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  assert.equal(response.status, 403, `${method} ${path}: ${text.slice(0, 200)}`);
  assert.equal(JSON.parse(text).error.code, "model_not_allowed");
}

test("A-04 one form of credential counts, on every route", async () => {
  const bound = await gateway.customer({ models: ["m-chat"] });
  const refused = await gateway.chat(bound.key, forbidden);
  assert.equal(refused.status, 403);
  assert.equal(JSON.parse(await refused.text()).error.code, "model_not_allowed");
  for (const alias of ["M-TWO", "m-two"])
    assert.equal((await gateway.chat(bound.key, { ...forbidden, model: alias })).status, 403);
  assert.equal((await gateway.chat(bound.key, JSON.parse(chatBody))).status, 200);
  upstream.clear();

  const all = await operations();
  assert.ok(all.length >= 15, `${all.length} operations`);
  for (const operation of all) {
    const { method, path, template, security, namesModel } = operation;
    if (security.length === 0) continue;
    if (template in forbiddenCalls) await assertForbidden(operation, bound.key);
    else assert.ok(!namesModel, `${method} ${path} is not asked for a forbidden model`);
    // The operator's doors take neither a customer's key nor the operator's token anywhere else.
    const isOperators = security.some((scheme) => "operator" in scheme);
    const secret = isOperators ? gateway.token : bound.key;
    for (const form of otherForms(secret)) {
      const body = method === "GET" || method === "DELETE" ? "" : JSON.stringify(forbidden);
      const answer = await sendRaw(
        gateway.port,
        rawRequest(`${method} ${path}${form.query}`, [...form.headers, "Connection: close"], body),
      );
      assert.deepEqual(
        answer.statuses,
        [401],
        `${method} ${path} with ${form.label}: ${answer.text.slice(0, 200)}`,
      );
    }
    if (!isOperators) continue;
    const asCustomer = rawRequest(`${method} ${path}`, [
      `Authorization: Bearer ${bound.key}`,
      "Connection: close",
    ]);
    assert.deepEqual((await sendRaw(gateway.port, asCustomer)).statuses, [401], `${method} ${path}`);
  }
  assert.equal(upstream.log.length, 0);
});

test("A-05 only Bearer counts, in any case, once", async () => {
  const good = customer.key;
  for (const value of [`Bearer ${good}`, `bearer ${good}`, `BEARER ${good}`, `Bearer  ${good}`]) {
    assert.deepEqual((await chat([`Authorization: ${value}`])).statuses, [200], value);
  }
  upstream.clear();
  const bad = "sk-wrong";
  const single = [
    `Token ${good}`,
    `Bearer\t${good}`,
    `Bearer${good}`,
    `Bearer:${good}`,
    `Bearer=${good}`,
    `Bearer ${good},Bearer ${bad}`,
  ];
  const lists = [
    `Bearer ${bad}, Bearer ${good}`,
    `Bearer ${good}, ${bad}`,
    `Bearer ${good} ${bad}`,
    `Bearer ${bad} ${good}`,
    `Basic x, Bearer ${good}`,
  ];
  for (const value of [...single, ...lists]) {
    assert.deepEqual((await chat([`Authorization: ${value}`])).statuses, [401], value);
  }
  const pairs = [
    [good, bad],
    [bad, good],
    [good, good],
  ] as const;
  for (const [first, second] of pairs) {
    const answer = await chat([`Authorization: Bearer ${first}`, `authorization: Bearer ${second}`]);
    assert.deepEqual(answer.statuses, [401]);
  }
  // A trailer is no header.
  const chunked = `${chatBody.length.toString(16)}\r\n${chatBody}\r\n0\r\nAuthorization: Bearer ${good}\r\n\r\n`;
  const trailer = rawRequest(
    "POST /v1/chat/completions",
    ["Transfer-Encoding: chunked", "Trailer: Authorization"],
    chunked,
  );
  assert.deepEqual((await sendRaw(gateway.port, trailer, 100)).statuses, [401]);
  assert.equal(upstream.log.length, 0);
});

/** Addresses that a stranger would try. */
function guesses(): readonly string[] {
  const names = [
    "admin",
    "metrics",
    "debug",
    "status",
    "health",
    "healthz",
    "ready",
    "readyz",
    "livez",
    "version",
    "info",
    "env",
    "config",
    "keys",
    "accounts",
    "users",
    "models",
    "usage",
    "balance",
    "billing",
    "chat",
    "completions",
    "embeddings",
    "run",
    "jobs",
    "webhooks",
    "audit",
    "login",
    "docs",
    "swagger",
    "openapi.json",
    "graphql",
    "console",
    "internal",
    "private",
    "test",
    "sandbox",
    "openai",
    "anthropic",
    "static",
    "files",
    "tmp",
    "logs",
    "db",
    "sql",
    "backup",
    "operator-token",
    "package.json",
    "src/main.ts",
    ".env",
    ".git/config",
    "server-status",
    "actuator",
    "pprof",
  ];
  const places = ["/", "/v1/", "/admin/v1/", "/api/", "/api/me/", "//"];
  const tricks = [
    "/admin/v1/accounts/..",
    "/health/../admin/v1/accounts",
    "/v1/../admin/v1/accounts",
    "/%61dmin/v1/accounts",
    "/admin%2fv1%2faccounts",
    "/ADMIN/V1/ACCOUNTS",
    "/admin/v1/accounts/",
    "/admin/v1/accounts;x",
    "/admin/v1/accounts?x",
    "/health/",
    "/health%00",
    "/health;x",
    "/",
    "/?",
    "/*",
  ];
  return [...places.flatMap((place) => names.map((name) => place + name)), ...tricks];
}

test("A-06 without a key only health, readiness and the documentation answer", async () => {
  const open = new Set(["/health", "/ready", "/openapi.json", "/docs/engines.md"]);
  const all = (await operations()).map(({ method, path }) => [method, path] as const);
  const guessed = guesses().flatMap(
    (path) =>
      [
        ["GET", path],
        ["POST", path],
      ] as const,
  );
  assert.ok(guessed.length > 600, `${guessed.length}`);
  for (const [method, path] of [...all, ...guessed]) {
    const response = await fetch(gateway.url + path.replace(/^\/\//, "/%2f"), { method, redirect: "manual" });
    const text = await response.text();
    const label = `${method} ${path}: ${response.status} ${text.slice(0, 100)}`;
    if (response.status < 400) assert.ok(method === "GET" && open.has(new URL(response.url).pathname), label);
    else assert.ok([400, 401, 404, 405].includes(response.status), label);
  }
  // `fetch` tidies addresses up; these go as they are.
  for (const path of guesses().filter((one) => one.includes("..") || one.startsWith("//"))) {
    const { statuses } = await sendRaw(gateway.port, rawRequest(`GET ${path}`, ["Connection: close"]));
    assert.ok([400, 401, 404].includes(statuses[0] ?? 0), `${path}: ${statuses.join()}`);
  }
  for (const path of ["/health", "/ready"]) {
    const text = await (await fetch(gateway.url + path)).text();
    assert.match(text, /^\{"status":"(ok|ready)"\}$/);
  }
  for (const method of ["PUT", "OPTIONS", "TRACE", "HEAD", "PROPFIND"]) {
    const { statuses } = await sendRaw(
      gateway.port,
      rawRequest(`${method} /admin/v1/accounts`, ["Connection: close"]),
    );
    assert.ok([400, 401, 404, 405].includes(statuses[0] ?? 0), `${method}: ${statuses.join()}`);
  }
  await eventually(() => upstream.open() === 0);
  assert.equal(upstream.log.length, 0);
});
