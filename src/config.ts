import { join, resolve } from "node:path";
import { z } from "zod";
import { nanoUsd } from "./core/price.ts";

const milliseconds = (fallback: number) => z.coerce.number().int().min(1).max(86_400_000).default(fallback);

/** `a, b` is two entries; nothing is none. */
const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );

const variables = z.object({
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "want postgres://user:password@host:5432/name")
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "want redis://host:6379")
    .optional(),
  SKILLBOSS_DATA_DIR: z.string().min(1).default(".skillboss"),
  SKILLBOSS_CATALOG_DIR: z.string().min(1).optional(),
  SKILLBOSS_CREDIT_USD: z.string().default("0.05").refine(isPositiveUsd, "want a price in USD such as 0.05"),
  SKILLBOSS_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  SKILLBOSS_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .max(512 * 1024 * 1024)
    .default(32 * 1024 * 1024),
  SKILLBOSS_CONNECT_TIMEOUT_MS: milliseconds(3_000),
  SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: milliseconds(60_000),
  SKILLBOSS_IDLE_TIMEOUT_MS: milliseconds(60_000),
  SKILLBOSS_CALL_TIMEOUT_MS: milliseconds(900_000),
  SKILLBOSS_DRAIN_TIMEOUT_MS: milliseconds(20_000),
  SKILLBOSS_KEEPALIVE_MS: milliseconds(15_000),
  SKILLBOSS_RUN_WAIT_MS: milliseconds(240_000),
  SKILLBOSS_PUBLIC_URL: z.url({ protocol: /^https?$/, error: "want an http or https address" }).optional(),
  SKILLBOSS_SECRET_KEY: z.string().optional(),
  SKILLBOSS_EGRESS_ALLOW: list,
  SKILLBOSS_ENGINES_OFF: list,
  SKILLBOSS_S3_BUCKET: z.string().min(3).optional(),
  SKILLBOSS_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  SKILLBOSS_S3_REGION: z.string().default("us-east-1"),
  SKILLBOSS_WEBHOOK_BACKOFF_MS: milliseconds(5_000),
  SKILLBOSS_SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, "want smtp://user:password@host:587")
    .optional(),
  SKILLBOSS_SMTP_FROM: z.string().optional(),
  SKILLBOSS_SMTP_DOMAINS: list,
  SKILLBOSS_SMTP_TLS: z.enum(["required", "when_offered", "unverified"]).default("required"),
  SKILLBOSS_SEARXNG_URL: z.url({ protocol: /^https?$/ }).optional(),
  SKILLBOSS_CHROMIUM: z.string().optional(),
  SKILLBOSS_CHROMIUM_SANDBOX: z.enum(["on", "off"]).default("on"),
  SKILLBOSS_ESPEAK: z.string().optional(),
  SKILLBOSS_WHISPER: z.string().optional(),
  SKILLBOSS_WHISPER_MODEL: z.string().optional(),
  SKILLBOSS_WHISPER_URL: z.url({ protocol: /^https?$/ }).optional(),
  SKILLBOSS_WHISPER_API_KEY: z.string().optional(),
});

export type ProviderSettings = { readonly apiKey: string | undefined; readonly baseUrl: string | undefined };

export type S3Settings = {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
};

/** What engines work with, where they need more than this program: undefined is not there, or looked for. */
export type EngineSettings = {
  readonly smtpUrl: string | undefined;
  readonly smtpFrom: string | undefined;
  /** Domains whose addresses customers may send from besides. */
  readonly smtpDomains: readonly string[];
  readonly smtpTls: "required" | "when_offered" | "unverified";
  readonly searxngUrl: string | undefined;
  readonly chromium: string | undefined;
  /** False where the system lets no program have a sandbox of its own, as in some containers. */
  readonly chromiumHasSandbox: boolean;
  readonly espeak: string | undefined;
  readonly whisper: string | undefined;
  readonly whisperModel: string | undefined;
  readonly whisperUrl: string | undefined;
  readonly whisperApiKey: string | undefined;
  /** Where programs are looked for. */
  readonly searchPath: string;
};

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly dataDirectory: string;
  /** The built-in facts first, then the operator's own folder, whose files add or override. */
  readonly catalogDirectories: readonly string[];
  /** What one credit is worth, in USD as a decimal string. */
  readonly creditUsd: string;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly maxBodyBytes: number;
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly keepAliveMs: number;
  /** How long `POST /v1/run` waits for a result before it answers with a job. */
  readonly runWaitMs: number;
  /** The address under which customers reach us; undefined: as each request has it. */
  readonly publicUrl: string | undefined;
  readonly secretKey: string | undefined;
  /** Private hosts, addresses and networks that customers' URLs may name after all. */
  readonly egressAllow: readonly string[];
  readonly enginesOff: readonly string[];
  readonly engines: EngineSettings;
  /** Where files lie when not in the data directory. */
  readonly s3: S3Settings | undefined;
  readonly webhookBackoffMs: number;
  /** `<PROVIDER>_API_KEY` and `<PROVIDER>_BASE_URL` of a provider of the catalog, or the key under a name of its own. */
  provider(id: string, keyVariable?: string): ProviderSettings;
  /** A variable that the catalog names as a setting of a provider. */
  variable(name: string): string | undefined;
};

export type CommandSettings = {
  /** Where the server is, unless a command says otherwise. */
  readonly url: string | undefined;
  readonly apiKey: string | undefined;
  readonly operatorToken: string | undefined;
  readonly dataDirectory: string;
};

/** What the command line needs to reach a server: no fault of the server's own variables stops it. */
export function readCommandSettings(
  environment: Readonly<Record<string, string | undefined>>,
): CommandSettings {
  const value = (name: string) => (environment[name] === "" ? undefined : environment[name]);
  const port = value("PORT");
  return {
    url: value("SKILLBOSS_URL") ?? (port === undefined ? undefined : `http://127.0.0.1:${port}`),
    apiKey: value("SKILLBOSS_API_KEY"),
    operatorToken: value("SKILLBOSS_OPERATOR_TOKEN"),
    dataDirectory: resolve(value("SKILLBOSS_DATA_DIR") ?? ".skillboss"),
  };
}

/** Environment → one frozen configuration. Throws one error that names every faulty variable. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const read = variables.safeParse(given);
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The configuration has faults:\n${faults.join("\n")}`);
  }
  const values = read.data;
  const builtIn = join(import.meta.dirname, "..", "catalog");
  const own = values.SKILLBOSS_CATALOG_DIR;
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    dataDirectory: resolve(values.SKILLBOSS_DATA_DIR),
    catalogDirectories: own === undefined ? [builtIn] : [builtIn, resolve(own)],
    creditUsd: values.SKILLBOSS_CREDIT_USD,
    logLevel: values.SKILLBOSS_LOG_LEVEL,
    maxBodyBytes: values.SKILLBOSS_MAX_BODY_BYTES,
    connectTimeoutMs: values.SKILLBOSS_CONNECT_TIMEOUT_MS,
    firstByteTimeoutMs: values.SKILLBOSS_FIRST_BYTE_TIMEOUT_MS,
    idleTimeoutMs: values.SKILLBOSS_IDLE_TIMEOUT_MS,
    callTimeoutMs: values.SKILLBOSS_CALL_TIMEOUT_MS,
    drainTimeoutMs: values.SKILLBOSS_DRAIN_TIMEOUT_MS,
    keepAliveMs: values.SKILLBOSS_KEEPALIVE_MS,
    runWaitMs: values.SKILLBOSS_RUN_WAIT_MS,
    publicUrl: values.SKILLBOSS_PUBLIC_URL?.replace(/\/+$/, ""),
    secretKey: values.SKILLBOSS_SECRET_KEY,
    egressAllow: values.SKILLBOSS_EGRESS_ALLOW,
    enginesOff: values.SKILLBOSS_ENGINES_OFF,
    engines: engineSettingsOf(values, given),
    s3: s3Of(values, given),
    webhookBackoffMs: values.SKILLBOSS_WEBHOOK_BACKOFF_MS,
    provider: (id: string, keyVariable?: string) => ({
      apiKey: given[keyVariable ?? providerVariable(id, "API_KEY")],
      baseUrl: given[providerVariable(id, "BASE_URL")],
    }),
    variable: (name: string) => given[name],
  });
}

function engineSettingsOf(
  values: z.output<typeof variables>,
  given: Readonly<Record<string, string | undefined>>,
): EngineSettings {
  return {
    smtpUrl: values.SKILLBOSS_SMTP_URL,
    smtpFrom: values.SKILLBOSS_SMTP_FROM,
    smtpDomains: values.SKILLBOSS_SMTP_DOMAINS,
    smtpTls: values.SKILLBOSS_SMTP_TLS,
    searxngUrl: values.SKILLBOSS_SEARXNG_URL,
    chromium: values.SKILLBOSS_CHROMIUM,
    chromiumHasSandbox: values.SKILLBOSS_CHROMIUM_SANDBOX === "on",
    espeak: values.SKILLBOSS_ESPEAK,
    whisper: values.SKILLBOSS_WHISPER,
    whisperModel: values.SKILLBOSS_WHISPER_MODEL,
    whisperUrl: values.SKILLBOSS_WHISPER_URL,
    whisperApiKey: values.SKILLBOSS_WHISPER_API_KEY,
    searchPath: given["PATH"] ?? "",
  };
}

function s3Of(
  values: z.output<typeof variables>,
  given: Readonly<Record<string, string | undefined>>,
): S3Settings | undefined {
  if (values.SKILLBOSS_S3_BUCKET === undefined) return undefined;
  return {
    bucket: values.SKILLBOSS_S3_BUCKET,
    endpoint: values.SKILLBOSS_S3_ENDPOINT,
    region: values.SKILLBOSS_S3_REGION,
    accessKeyId: given["AWS_ACCESS_KEY_ID"],
    secretAccessKey: given["AWS_SECRET_ACCESS_KEY"],
  };
}

/** The variable that configures a provider: `providerVariable("openai", "API_KEY")` is `OPENAI_API_KEY`. */
export function providerVariable(id: string, what: "API_KEY" | "BASE_URL"): string {
  return `${id.toUpperCase().replaceAll("-", "_")}_${what}`;
}

function isPositiveUsd(text: string): boolean {
  try {
    return nanoUsd(text) > 0n;
  } catch {
    return false;
  }
}
