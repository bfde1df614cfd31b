import { join, resolve } from "node:path";
import { z } from "zod";
import type { Environment } from "./command-settings.ts";
import { nanoUsd } from "./core/price.ts";
import { engineNames } from "./engines/engine.ts";

/** Digits, and nothing that only JavaScript takes for a number. */
const whole = (least: number, most: number, usual: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `want a whole number from ${least} to ${most}, such as ${usual}`,
    )
    .transform(Number)
    .default(usual);

/** As long as OpenAI's own clients wait for an answer. */
const longestSilenceMs = 600_000;

const milliseconds = (fallback: number) => whole(1, 86_400_000, fallback);

const webAddress = (example: string) =>
  z.url({ protocol: /^https?$/, error: `want an http or https address, such as ${example}` });

/** It travels in a header. */
const secret = z.string().regex(/^[\x20-\x7e]+$/, "want the secret alone, in one line");

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

/** It keeps things from being done, so a slip of the hand must not leave them possible. */
const engineList = list.refine(
  (names) => names.every((name) => engineNames.some((known) => known === name)),
  `want some of ${engineNames.join(", ")}`,
);

const variables = z.object({
  HOST: z
    .string()
    .regex(/^[\w.:%-]+$/, "want an address or a name of this machine, such as 127.0.0.1")
    .default("127.0.0.1"),
  PORT: whole(0, 65_535, 8787),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "want postgres://user:password@host:5432/name")
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "want redis://host:6379")
    .optional(),
  SKILLBOSS_DATA_DIR: z.string().min(1, "want a directory, such as .skillboss").default(".skillboss"),
  SKILLBOSS_CATALOG_DIR: z.string().min(1, "want a directory").optional(),
  SKILLBOSS_CREDIT_USD: z.string().default("0.05").refine(isPositiveUsd, "want a price in USD such as 0.05"),
  SKILLBOSS_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"], "want debug, info, warn, error or silent")
    .default("info"),
  SKILLBOSS_MAX_BODY_BYTES: whole(1024, 512 * 1024 * 1024, 32 * 1024 * 1024),
  SKILLBOSS_CONNECT_TIMEOUT_MS: milliseconds(3_000),
  SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: milliseconds(60_000),
  SKILLBOSS_IDLE_TIMEOUT_MS: milliseconds(60_000),
  SKILLBOSS_CALL_TIMEOUT_MS: milliseconds(900_000),
  SKILLBOSS_DRAIN_TIMEOUT_MS: milliseconds(20_000),
  SKILLBOSS_KEEPALIVE_MS: milliseconds(15_000),
  SKILLBOSS_RUN_WAIT_MS: milliseconds(240_000),
  SKILLBOSS_RUN_RETENTION_DAYS: whole(0, 36_500, 30),
  SKILLBOSS_PUBLIC_URL: webAddress("https://ai.example.com").optional(),
  SKILLBOSS_SECRET_KEY: secret.min(32, "want at least 32 characters").optional(),
  SKILLBOSS_OPERATOR_TOKEN: secret
    .min(32, "want at least 32 characters, such as those of a token file")
    .optional(),
  SKILLBOSS_EGRESS_ALLOW: list,
  SKILLBOSS_ENGINES_OFF: engineList,
  SKILLBOSS_S3_BUCKET: z.string().min(3, "want the name of a bucket, at least 3 characters").optional(),
  SKILLBOSS_S3_ENDPOINT: webAddress("https://s3.example.com").optional(),
  SKILLBOSS_S3_PATH_STYLE: z.enum(["on", "off"], "want on or off").optional(),
  SKILLBOSS_S3_REGION: z.string().default("us-east-1"),
  SKILLBOSS_S3_ACCESS_KEY_ID: secret.optional(),
  SKILLBOSS_S3_SECRET_ACCESS_KEY: secret.optional(),
  SKILLBOSS_WEBHOOK_BACKOFF_MS: milliseconds(5_000),
  SKILLBOSS_SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, "want smtp://user:password@host:587")
    .optional(),
  SKILLBOSS_SMTP_FROM: z.string().optional(),
  SKILLBOSS_SMTP_DOMAINS: list,
  SKILLBOSS_SMTP_TLS: z
    .enum(["required", "when_offered", "unverified"], "want required, when_offered or unverified")
    .default("required"),
  SKILLBOSS_SEARXNG_URL: webAddress("http://127.0.0.1:8080").optional(),
  SKILLBOSS_CHROMIUM: z.string().optional(),
  SKILLBOSS_CHROMIUM_SANDBOX: z.enum(["on", "off"], "want on or off").default("on"),
  SKILLBOSS_ESPEAK: z.string().optional(),
  SKILLBOSS_WHISPER: z.string().optional(),
  SKILLBOSS_WHISPER_MODEL: z.string().optional(),
  SKILLBOSS_WHISPER_URL: webAddress("http://127.0.0.1:8081").optional(),
  SKILLBOSS_WHISPER_API_KEY: secret.optional(),
});

/** What the server reads beside what the catalog names. */
export const serverVariables: readonly string[] = Object.keys(variables.shape);

export type ProviderSettings = { readonly apiKey: string | undefined; readonly baseUrl: string | undefined };

export type S3Settings = {
  readonly bucket: string;
  readonly endpoint: string | undefined;
  /** The bucket as the first part of the path instead of the host name. */
  readonly pathStyle: boolean;
  readonly region: string;
  /** Undefined: the SDK looks where it usually does. */
  readonly credentials: S3Credentials | undefined;
};

export type S3Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Belongs to a credential that runs out. */
  readonly sessionToken?: string;
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
  /** How far the two reach where a provider is silent because it works. What is set by hand reaches no further. */
  readonly longestFirstByteMs: number;
  readonly longestIdleMs: number;
  readonly callTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly keepAliveMs: number;
  /** How long `POST /v1/run` waits for a result before it answers with a job. */
  readonly runWaitMs: number;
  /** How long runs and messages to customers' servers are kept; 0: for ever. */
  readonly runRetentionDays: number;
  /** The address under which customers reach us; undefined: as each request has it. */
  readonly publicUrl: string | undefined;
  readonly secretKey: string | undefined;
  /** Undefined: the one in the data directory. */
  readonly operatorToken: string | undefined;
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

/** What the environment says, without the blanks around it. What is empty is not in it. */
export type Given = Readonly<Record<string, string>>;

/** What is wrong with the variables of the catalog's providers: lines such as `OPENAI_API_KEY: want …`. */
export type ProviderFaults = (directories: readonly string[], given: Given) => readonly string[];

/** Environment → one frozen configuration. Throws one error that names every faulty variable. */
export function readConfig(environment: Environment, providerFaults: ProviderFaults): Config {
  const given = givenIn(environment);
  const builtIn = join(import.meta.dirname, "..", "catalog");
  const own = given["SKILLBOSS_CATALOG_DIR"];
  const catalogDirectories = own === undefined ? [builtIn] : [builtIn, resolve(own)];
  const read = variables.safeParse(given);
  const faults = [
    ...(read.error?.issues ?? []).map((issue) => describe(issue, given)),
    ...halfCredential(given),
    ...providerFaults(catalogDirectories, given),
  ];
  if (!read.success || faults.length > 0)
    throw new Error(["The configuration has faults:", ...faults.map((fault) => `  ${fault}`)].join("\n"));
  const values = read.data;
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    dataDirectory: resolve(values.SKILLBOSS_DATA_DIR),
    catalogDirectories,
    creditUsd: values.SKILLBOSS_CREDIT_USD,
    logLevel: values.SKILLBOSS_LOG_LEVEL,
    maxBodyBytes: values.SKILLBOSS_MAX_BODY_BYTES,
    connectTimeoutMs: values.SKILLBOSS_CONNECT_TIMEOUT_MS,
    firstByteTimeoutMs: values.SKILLBOSS_FIRST_BYTE_TIMEOUT_MS,
    idleTimeoutMs: values.SKILLBOSS_IDLE_TIMEOUT_MS,
    longestFirstByteMs: Number(given["SKILLBOSS_FIRST_BYTE_TIMEOUT_MS"] ?? longestSilenceMs),
    longestIdleMs: Number(given["SKILLBOSS_IDLE_TIMEOUT_MS"] ?? longestSilenceMs),
    callTimeoutMs: values.SKILLBOSS_CALL_TIMEOUT_MS,
    drainTimeoutMs: values.SKILLBOSS_DRAIN_TIMEOUT_MS,
    keepAliveMs: values.SKILLBOSS_KEEPALIVE_MS,
    runWaitMs: values.SKILLBOSS_RUN_WAIT_MS,
    runRetentionDays: values.SKILLBOSS_RUN_RETENTION_DAYS,
    publicUrl: values.SKILLBOSS_PUBLIC_URL?.replace(/\/+$/, ""),
    secretKey: values.SKILLBOSS_SECRET_KEY,
    operatorToken: values.SKILLBOSS_OPERATOR_TOKEN,
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

function givenIn(environment: Environment): Given {
  const given: Record<string, string> = {};
  for (const [name, value = ""] of Object.entries(environment)) if (value !== "") given[name] = value.trim();
  return given;
}

/** These may be shown as they were found; the others may hold a password. */
const harmless =
  /^(?:PORT|HOST|SKILLBOSS_LOG_LEVEL|SKILLBOSS_CREDIT_USD|SKILLBOSS_ENGINES_OFF|SKILLBOSS_\w+_(?:MS|DAYS|BYTES|TLS|SANDBOX))$/;

function describe({ path, message }: z.core.$ZodIssue, given: Given): string {
  const name = path.join(".");
  const found = harmless.test(name) ? `; found ${JSON.stringify(given[name]?.slice(0, 40))}` : "";
  return `${name}: ${message}${found}`;
}

function engineSettingsOf(values: z.output<typeof variables>, given: Given): EngineSettings {
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

function s3Of(values: z.output<typeof variables>, given: Given): S3Settings | undefined {
  const {
    SKILLBOSS_S3_BUCKET: bucket,
    SKILLBOSS_S3_ENDPOINT: endpoint,
    SKILLBOSS_S3_PATH_STYLE: style,
  } = values;
  if (bucket === undefined) return undefined;
  return {
    bucket,
    endpoint,
    // Most S3 of other makers have no name for each bucket, and some take no other way.
    pathStyle: style === undefined ? endpoint !== undefined : style === "on",
    region: values.SKILLBOSS_S3_REGION,
    credentials: s3CredentialsOf(given),
  };
}

/** Its own, or Amazon's, by which letters may go as well. */
function s3CredentialsOf(given: Given): S3Credentials | undefined {
  const { SKILLBOSS_S3_ACCESS_KEY_ID: ownId, SKILLBOSS_S3_SECRET_ACCESS_KEY: ownSecret } = given;
  if (ownId !== undefined && ownSecret !== undefined)
    return { accessKeyId: ownId, secretAccessKey: ownSecret };
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = given;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function halfCredential(given: Given): readonly string[] {
  const halves = ["SKILLBOSS_S3_ACCESS_KEY_ID", "SKILLBOSS_S3_SECRET_ACCESS_KEY"];
  const missing = halves.filter((name) => given[name] === undefined);
  return missing.length === 1 ? [`${missing.join()}: want the other half of the credential as well`] : [];
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
