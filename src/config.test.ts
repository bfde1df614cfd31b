import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readConfig } from "./config.ts";
import { systemClock } from "./core/clock.ts";
import { createEgress } from "./egress/egress.ts";
import { enginesOf } from "./engine-wiring.ts";
import { engineNames } from "./engines/engine.ts";
import { providerFaults } from "./provider-faults.ts";

type Environment = Readonly<Record<string, string>>;

const configOf = (environment: Environment) => readConfig(environment, providerFaults);

/** The lines of the one error, or none when the configuration is taken. */
function faultsOf(environment: Environment): readonly string[] {
  try {
    configOf(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof Error);
    const [head, ...lines] = error.message.split("\n");
    assert.equal(head, "The configuration has faults:");
    return lines.map((line) => line.trim());
  }
}

const directory = mkdtempSync(join(tmpdir(), "skillboss-config-"));
after(() => rmSync(directory, { recursive: true }));

/** A catalog of the operator's own with these providers. */
function catalogWith(name: string, ...providers: readonly Readonly<Record<string, unknown>>[]): string {
  const folder = join(directory, name);
  mkdirSync(join(folder, "providers"), { recursive: true });
  for (const provider of providers)
    writeFileSync(join(folder, "providers", `${String(provider["id"])}.json`), JSON.stringify(provider));
  return folder;
}

test("a provider's address is plain http or https, or the start says what to write instead", () => {
  const wrong = [
    "notaurl",
    "ftp://example.com",
    "https://example.com/v1?x=1",
    "https://example.com/v1#part",
    "https://user:secret@example.com/v1",
    "   ",
  ];
  for (const OPENAI_BASE_URL of wrong) {
    const faults = faultsOf({ OPENAI_BASE_URL });
    assert.equal(faults.length, 1, OPENAI_BASE_URL);
    assert.match(faults[0] ?? "", /^OPENAI_BASE_URL: want .*such as https:\/\//);
    assert.doesNotMatch(faults[0] ?? "", /secret/);
  }
  for (const OPENAI_BASE_URL of [
    "http://127.0.0.1:11434/v1",
    "https://example.com/a/b/",
    " https://a.example ",
  ])
    assert.deepEqual(faultsOf({ OPENAI_BASE_URL }), []);
});

test("a provider's key fits into a header whatever way it is worn, or the start says so without repeating it", () => {
  const variables = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "FAL_KEY",
    "TWILIO_AUTH_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
  ];
  for (const variable of variables) {
    for (const wrong of ["hush\nhush", "hush\u0000", "hush\thush", "hush…", "   ", "\u007fhush"]) {
      const faults = faultsOf({ [variable]: wrong });
      assert.equal(faults.length, 1, `${variable} ${JSON.stringify(wrong)}: ${faults.join()}`);
      assert.match(faults[0] ?? "", new RegExp(`^${variable}: want `));
      assert.doesNotMatch(faults[0] ?? "", /hush/);
    }
  }
});

test("what stands around a key or an address by accident is taken away", () => {
  const config = configOf({ OPENAI_API_KEY: " sk-key\r\n", OPENAI_BASE_URL: "https://a.example/v1\n" });
  assert.deepEqual(config.provider("openai"), { apiKey: "sk-key", baseUrl: "https://a.example/v1" });
});

test("an empty variable is none", () => {
  const config = configOf({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "", PORT: "" });
  assert.deepEqual(config.provider("openai"), { apiKey: undefined, baseUrl: undefined });
  assert.equal(config.port, 8787);
});

test("a setting that is part of a provider's address cannot lead elsewhere", () => {
  for (const AWS_REGION of ["eu west", "x/../y", "a@b", "evil.example#", "e\nu"]) {
    const faults = faultsOf({ AWS_REGION });
    assert.match(faults.join(), /^AWS_REGION: want /, AWS_REGION);
  }
  assert.match(faultsOf({ TWILIO_ACCOUNT_SID: "a\nb" }).join(), /^TWILIO_ACCOUNT_SID: want /);
  assert.deepEqual(faultsOf({ AWS_REGION: "eu-central-1", TWILIO_ACCOUNT_SID: "AC0" }), []);
});

test("files on S3 take the credential of the environment whole, and none when it has no whole one", () => {
  const credentialsIn = (environment: Environment) =>
    configOf({ SKILLBOSS_S3_BUCKET: "files", ...environment }).s3?.credentials;
  const pair = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hush" };
  assert.deepEqual(credentialsIn(pair), { accessKeyId: "id", secretAccessKey: "hush" });
  // Of a role or a single sign-on: without its token it is no credential.
  assert.deepEqual(credentialsIn({ ...pair, AWS_SESSION_TOKEN: "for an hour" }), {
    accessKeyId: "id",
    secretAccessKey: "hush",
    sessionToken: "for an hour",
  });
  assert.equal(credentialsIn({ AWS_ACCESS_KEY_ID: "id" }), undefined);
  assert.equal(credentialsIn({}), undefined);
});

test("files on another maker's S3 have a credential of their own beside Amazon's for letters, or the start says so", () => {
  const amazons = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hush", AWS_SESSION_TOKEN: "an hour" };
  const own = { SKILLBOSS_S3_ACCESS_KEY_ID: "minio", SKILLBOSS_S3_SECRET_ACCESS_KEY: "whisper" };
  const { s3 } = configOf({ SKILLBOSS_S3_BUCKET: "files", ...amazons, ...own });
  assert.deepEqual(s3?.credentials, { accessKeyId: "minio", secretAccessKey: "whisper" });
  for (const [name, value] of Object.entries(own)) {
    const [other] = Object.keys(own).filter((one) => one !== name);
    const faults = faultsOf({ SKILLBOSS_S3_BUCKET: "files", ...amazons, [name]: value });
    assert.match(faults.join(), new RegExp(`^${other}: want the other half`));
    assert.doesNotMatch(faults.join(), /whisper/);
  }
});

test("a service account's key file is read at the start", () => {
  const SKILLBOSS_CATALOG_DIR = catalogWith("vertex", {
    id: "vertex",
    name: "Vertex",
    base_url: "https://vertex.example.com",
    auth: { type: "google-service-account", scope: "all" },
  });
  const wrong = ["not json", "{}", '{"client_email":"a","private_key":"-----BEGIN PRIVATE KEY-----\\nhush"}'];
  for (const VERTEX_API_KEY of wrong) {
    const faults = faultsOf({ SKILLBOSS_CATALOG_DIR, VERTEX_API_KEY });
    assert.match(faults.join(), /^VERTEX_API_KEY: want a service account's key file/);
    assert.doesNotMatch(faults.join(), /hush/);
  }
});

test("one error names every faulty variable, the server's own and the providers'", () => {
  const names = faultsOf({
    PORT: "abc",
    OPENAI_API_KEY: "a\nb",
    GEMINI_API_KEY: " \n",
    OLLAMA_BASE_URL: "localhost:11434",
    SKILLBOSS_WHISPER_API_KEY: "a\nb",
    SKILLBOSS_OPERATOR_TOKEN: "short",
  }).map((line) => line.split(":", 1)[0]);
  assert.deepEqual(
    names.toSorted((a = "", b = "") => (a < b ? -1 : 1)),
    [
      "GEMINI_API_KEY",
      "OLLAMA_BASE_URL",
      "OPENAI_API_KEY",
      "PORT",
      "SKILLBOSS_OPERATOR_TOKEN",
      "SKILLBOSS_WHISPER_API_KEY",
    ],
  );
});

test("an S3 of another maker has the bucket in the path, Amazon's in the host name, unless it is said otherwise", () => {
  const isInPath = (environment: Record<string, string>) =>
    configOf({ SKILLBOSS_S3_BUCKET: "files", ...environment }).s3?.pathStyle;
  const endpoint = { SKILLBOSS_S3_ENDPOINT: "https://oss-eu-central-1.aliyuncs.com" };
  assert.deepEqual([isInPath({}), isInPath(endpoint)], [false, true]);
  assert.equal(isInPath({ ...endpoint, SKILLBOSS_S3_PATH_STYLE: "off" }), false);
  assert.equal(isInPath({ SKILLBOSS_S3_PATH_STYLE: "on" }), true);
});

test("every fault says what to write, in words of people", () => {
  const faults = faultsOf({
    PORT: "abc",
    HOST: "http://here",
    DATABASE_URL: "mysql://user:secret@host/db",
    REDIS_URL: "redis",
    SKILLBOSS_LOG_LEVEL: "loud",
    SKILLBOSS_MAX_BODY_BYTES: "1",
    SKILLBOSS_IDLE_TIMEOUT_MS: "1e3",
    SKILLBOSS_PUBLIC_URL: "here",
    SKILLBOSS_S3_BUCKET: "b",
    SKILLBOSS_S3_ENDPOINT: "here",
    SKILLBOSS_S3_PATH_STYLE: "true",
    SKILLBOSS_SEARXNG_URL: "here",
    SKILLBOSS_WHISPER_URL: "here",
    SKILLBOSS_SMTP_TLS: "maybe",
    SKILLBOSS_CHROMIUM_SANDBOX: "maybe",
    SKILLBOSS_SECRET_KEY: "short",
    SKILLBOSS_EGRESS_ALLOW: "http://inside/",
  });
  assert.equal(faults.length, 17, faults.join("\n"));
  for (const fault of faults) {
    assert.match(fault, /^[A-Z_0-9]+: want /);
    assert.doesNotMatch(fault, /NaN|Invalid|expected|secret/);
  }
  assert.equal(
    faults.find((line) => line.startsWith("PORT")),
    'PORT: want a whole number from 0 to 65535, such as 8787; found "abc"',
  );
});

test("a word that is no engine's name turns nothing off, so the start ends and says which names there are", () => {
  for (const SKILLBOSS_ENGINES_OFF of ["foo", "scraper", "mail", "Scrape", "scrape;email", "scrape, foo"]) {
    assert.deepEqual(faultsOf({ SKILLBOSS_ENGINES_OFF }), [
      "SKILLBOSS_ENGINES_OFF: want some of scrape, parse, search, image, email, speech, transcribe; " +
        `found "${SKILLBOSS_ENGINES_OFF}"`,
    ]);
  }
  assert.deepEqual(configOf({ SKILLBOSS_ENGINES_OFF: "scrape, email," }).enginesOff, ["scrape", "email"]);
});

test("every engine there is can be turned off by its name", async () => {
  const config = configOf({ SKILLBOSS_ENGINES_OFF: engineNames.join() });
  const egress = createEgress({});
  const kept = enginesOf(configOf({}), egress, systemClock);
  const none = enginesOf(config, egress, systemClock);
  assert.deepEqual([...kept.byName.keys()], [...engineNames]);
  assert.equal(none.byName.size, 0);
  await Promise.all([kept.stop(), none.stop()]);
});

const acme = { id: "acme", name: "Acme", base_url: "http://10.0.0.5/v1" };

test("F-06 a file of the catalog leads to a private address only when the operator says so", () => {
  for (const host of ["10.0.0.5", "127.0.0.1:9", "169.254.169.254", "localhost", "db.internal"]) {
    const name = host.replaceAll(/\W/g, "-");
    const SKILLBOSS_CATALOG_DIR = catalogWith(name, { ...acme, base_url: `http://${host}/v1` });
    const faults = faultsOf({ SKILLBOSS_CATALOG_DIR });
    assert.equal(faults.length, 1, host);
    assert.match(faults[0] ?? "", /^ACME_BASE_URL: want .*SKILLBOSS_EGRESS_ALLOW/);
    assert.deepEqual(faultsOf({ SKILLBOSS_CATALOG_DIR, ACME_BASE_URL: `http://${host}/v1` }), []);
    assert.deepEqual(faultsOf({ SKILLBOSS_CATALOG_DIR, SKILLBOSS_EGRESS_ALLOW: host }), []);
  }
});

test("a limit of silence that is set by hand holds for all answers; else slow ones may take ten minutes", () => {
  const usual = configOf({});
  assert.deepEqual([usual.firstByteTimeoutMs, usual.longestFirstByteMs], [60_000, 600_000]);
  assert.deepEqual([usual.idleTimeoutMs, usual.longestIdleMs], [60_000, 600_000]);
  const set = configOf({ SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "3000", SKILLBOSS_IDLE_TIMEOUT_MS: "4000" });
  assert.deepEqual([set.firstByteTimeoutMs, set.longestFirstByteMs], [3_000, 3_000]);
  assert.deepEqual([set.idleTimeoutMs, set.longestIdleMs], [4_000, 4_000]);
});
