import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { providerVariable } from "../src/config.ts";
import { problems } from "../src/core/problems.ts";
import { startGateway } from "./support/gateway.ts";
import type { Gateway } from "./support/gateway.ts";
import { runShell } from "./support/program.ts";
import { assertAllSettled } from "./support/sdk.ts";

/** What the documents say is so: samples run, variables and codes exist, addresses are listed. */
const root = join(import.meta.dirname, "..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = text("README.md");

let gateway: Gateway;
let testKey: string;
before(async () => {
  gateway = await startGateway();
  testKey = (await gateway.customer({ mode: "test" })).key;
});
after(async () => {
  await assertAllSettled(gateway);
  assert.equal(await gateway.stop(), 0);
});

/** The code blocks of a language, with the address and keys of the gateway under test. */
function samples(language: string): readonly string[] {
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))];
  return blocks.map(([, code = ""]) =>
    code.replaceAll("http://127.0.0.1:8787", gateway.url).replaceAll(/sk-test-…|sk-…/g, testKey),
  );
}

const environment = () => ({
  SKILLBOSS_URL: gateway.url,
  SKILLBOSS_API_KEY: testKey,
  SKILLBOSS_DATA_DIR: gateway.directory,
});

test("README's curl samples work as written", async () => {
  const curls = samples("sh").filter((code) => code.startsWith("curl"));
  assert.ok(curls.length >= 1);
  for (const code of curls) {
    const { code: exit, output, errors } = await runShell(code, environment());
    assert.equal(exit, 0, errors);
    const answer = JSON.parse(output);
    assert.equal(answer.object, "chat.completion", output);
  }
});

test("README's JavaScript samples work as written", async () => {
  const programs = samples("js");
  assert.ok(programs.length >= 1);
  for (const code of programs) {
    // Inside the project, so that its packages are found.
    const folder = mkdtempSync(join(root, "node_modules", ".sample-"));
    writeFileSync(join(folder, "sample.mjs"), code);
    const { code: exit, output, errors } = await runShell(`node ${folder}/sample.mjs`, environment());
    rmSync(folder, { recursive: true });
    assert.equal(exit, 0, errors);
    assert.ok(output.length > 10, "the answer was printed");
  }
});

test("README's Python sample asks what is answered", async () => {
  // OpenAI's Python SDK is not at hand in the tests: what the sample sends is sent in its place.
  const [python = ""] = samples("python");
  const model = /model="([^"]+)"/.exec(python)?.[1] ?? "";
  assert.ok(python.includes(`base_url="${gateway.url}/v1"`) && python.includes(`api_key="${testKey}"`));
  const answer = await gateway.chat(testKey, { model, messages: [{ role: "user", content: "Hello!" }] });
  assert.equal(answer.status, 200);
  await answer.text();
});

test("README's commands work as written, one after the other", async () => {
  const block = samples("sh").find((code) => code.includes("npx skillboss"));
  assert.ok(block !== undefined);
  const lines = block.trim().split("\n");
  assert.ok(lines.length >= 4);
  for (const line of lines) {
    const command = line.replace("npx skillboss", "node bin/skillboss.cjs");
    assert.notEqual(command, line);
    const { code, errors } = await runShell(command, environment());
    assert.equal(code, 0, `${line}\n${errors}`);
  }
});

/** Rows of README's table under a heading, as the code spans of their first column. */
function firstColumn(heading: string): readonly string[] {
  const [, section = ""] = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |$(?![^]))`, "m").exec(readme) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code),
  );
}

test("every variable of README's table is read, and every variable that is read is in the table", () => {
  const told = new Set(firstColumn("Configuration"));
  const config = text("src/config.ts");
  const read = new Set(
    [
      ...config.matchAll(
        /^ {2}([A-Z][A-Z0-9_]+): (?:z|whole|milliseconds|list|webAddress|secret|engineList)\b/gm,
      ),
    ].map(([, name = ""]) => name),
  );
  assert.ok(read.size >= 14, [...read].join());
  const ofCommands = text("src/command-settings.ts");
  for (const [, name = ""] of `${config}${ofCommands}`.matchAll(/value\("([A-Z_]+)"\)/g)) read.add(name);
  for (const pattern of ["<PROVIDER>_API_KEY", "<PROVIDER>_BASE_URL"])
    assert.ok(told.delete(pattern), pattern);
  assert.deepEqual([...told].toSorted(), [...read].toSorted());
});

test("README's defaults are those of the code", () => {
  const config = text("src/config.ts").replaceAll(/(\d)_(\d)/g, "$1$2");
  const rows = [...readme.matchAll(/^\| `(SKILLBOSS_[A-Z0-9_]+)` *\| `?([^`|\s]+)`? *\|/gm)];
  assert.ok(rows.length >= 10);
  for (const [, name = "", value = ""] of rows) {
    const line = new RegExp(`^ {2}${name}: [^]*?(?=^ {2}[A-Z]|^\\}\\))`, "m").exec(config)?.[0] ?? "";
    const isTold = [`default("${value}")`, `milliseconds(${value})`, `, ${value})`].some((told) =>
      line.includes(told),
    );
    const bytes = line.includes(", 32 * 1024 * 1024)") && Number(value) === 32 * 1024 * 1024;
    assert.ok(isTold || bytes, `${name} is ${value}: ${line}`);
  }
});

test("the providers that README names are in the catalog", () => {
  const ids = globSync(join(root, "catalog/providers/*.json")).map(
    (path) => JSON.parse(readFileSync(path, "utf8")).id,
  );
  const variables = new Set(
    ids.flatMap((id: string) => [providerVariable(id, "API_KEY"), providerVariable(id, "BASE_URL")]),
  );
  const lines = readme.split("\n").filter((line) => line.startsWith("| `<PROVIDER>_"));
  assert.equal(lines.length, 2);
  for (const line of lines) {
    const suffix = /<PROVIDER>_(\w+)/.exec(line)?.[1] ?? "";
    for (const [, name = ""] of line.matchAll(/`([A-Z]+)_…`/g))
      assert.ok(variables.has(`${name}_${suffix}`), name);
  }
});

test("docs/errors.md has every code with its status, and no other", () => {
  const rows = [...text("docs/errors.md").matchAll(/^\| `(\w+)` +\| (\d+) +\| .+ \| .+ \|$/gm)];
  const told = rows.map(([, code = "", status = ""]) => `${code} ${status}`);
  const known = Object.entries(problems).map(([code, { status }]) => `${code} ${status}`);
  assert.deepEqual(told.toSorted(), known.toSorted());
});

test("every link from one document to another leads somewhere", () => {
  const documents = ["*.md", "docs/**/*.md", "catalog/*.md"].flatMap((pattern) =>
    globSync(join(root, pattern)),
  );
  assert.ok(documents.length >= 8);
  for (const document of documents) {
    for (const [, target = ""] of readFileSync(document, "utf8").matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.ok(existsSync(join(dirname(document), target)), `${document} → ${target}`);
    }
  }
});

type Operation = {
  readonly summary: string;
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
};

async function operations(): Promise<
  readonly (readonly [method: string, path: string, operation: Operation])[]
> {
  const { paths } = (await gateway.get("", "/openapi.json")).body;
  return Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method.toUpperCase(), path, operation] as const),
  );
}

test("the OpenAPI document lists every door of the code, and each answers at its address", async () => {
  const files = globSync(join(root, "src/http/*.ts")).filter((path) => !path.endsWith(".test.ts"));
  const doors = files.flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(/^\s+method: "([A-Z]+)",\s+path: "([^"]+)"/gm)].map(
      ([, method, where = ""]) => `${method} ${where.replaceAll("...}", "}")}`,
    ),
  );
  const listed = await operations();
  assert.ok(doors.length >= 15);
  assert.deepEqual(listed.map(([method, path]) => `${method} ${path}`).toSorted(), doors.toSorted());
  for (const [method, path, { security }] of listed) {
    const { status } = await fetch(gateway.url + path.replaceAll(/\{\w+\}/g, "nothing"), { method });
    // An open address with a part to be filled in is its own credential: a wrong one names nothing.
    const open = path.includes("{") ? 404 : 200;
    assert.equal(status, security.length === 0 ? open : 401, `${method} ${path}`);
  }
});

test("the OpenAPI document is well formed: ids once, parameters declared, references resolved, schemas valid", async () => {
  const { body, status } = await gateway.get("", "/openapi.json");
  assert.equal(status, 200);
  assert.equal(body.openapi, "3.1.0");
  assert.match(body.info.version, /^\d+\.\d+\.\d+$/);
  const listed = await operations();
  const ids = listed.map(([, , { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  for (const [method, path, operation] of listed) {
    const where = `${method} ${path}`;
    assert.ok(operation.summary.endsWith(".") || operation.summary.endsWith("`"), where);
    const declared = (operation.parameters ?? []).filter((one) => one.in === "path" && one.required);
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(
      declared.map(({ name }) => name),
      names,
      where,
    );
    assert.ok(
      Object.keys(operation.responses).some((code) => code.startsWith("2")),
      where,
    );
    for (const { description } of Object.values(operation.responses))
      assert.ok(description.length > 0, where);
    for (const requirement of operation.security) {
      for (const scheme of Object.keys(requirement))
        assert.ok(scheme in body.components.securitySchemes, where);
    }
    for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
      assert.doesNotThrow(() => ajv.compile(schema), where);
    }
  }
  for (const [, name = ""] of JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
    assert.ok(name in body.components.schemas, name);
});

test("the OpenAPI document's schema of a chat request takes what is taken, and its errors are the errors sent", async () => {
  const { body } = await gateway.get("", "/openapi.json");
  const chat = body.paths["/v1/chat/completions"].post;
  const ajv = new Ajv2020({ strict: false });
  const isRequest = ajv.compile(chat.requestBody.content["application/json"].schema);
  const good = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] };
  const isError = ajv.compile(body.components.schemas.Error);
  for (const [request, expected] of [
    [good, 200],
    [{ ...good, seed: 3, unknown_member: { a: 1 } }, 200],
    [{ ...good, messages: [] }, 400],
    [{ ...good, temperature: 9 }, 400],
    [{ model: "gpt-4o-mini" }, 400],
  ] as const) {
    const answer = await gateway.chat(testKey, request);
    assert.equal(answer.status, expected);
    assert.equal(isRequest(request), expected === 200, JSON.stringify(request));
    const told: unknown = await answer.json();
    assert.equal(isError(told), expected !== 200, JSON.stringify(told));
  }
});
