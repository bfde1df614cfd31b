import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freshDatabaseHere } from "./postgres.ts";
import { writeCatalog, writeMoreModels } from "./test-catalog.ts";
import type { TestRate } from "./test-catalog.ts";

/**
 * A real gateway process on loopback, as an operator would run it, with the models of the test plan in its catalog:
 * `m-chat` (provider p1), `m-two` (p1, then p2, which is dearer), `m-claude` (a1, Anthropic's wire) and `m-free`.
 */
export type GatewayOptions = {
  /** Base URLs of the fake providers. */
  readonly p1?: string;
  readonly p2?: string;
  readonly a1?: string;
  /** Undefined: the embedded database. Left out by whom any will do: PostgreSQL where all files share one, for speed. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Reuses a data directory, for restarts. */
  readonly directory?: string;
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** More providers on OpenAI's wire, id → base URL. `x1` alone serves `m-x1`, and before p2 `m-x1-two`. */
  readonly moreProviders?: Readonly<Record<string, string>>;
  /** More chat models of p1, id → the price of its offer; they take and give up to 100 million tokens. */
  readonly moreModels?: Readonly<Record<string, readonly TestRate[]>>;
  /** More files of the catalog, path within it → facts. */
  readonly moreFiles?: Readonly<Record<string, unknown>>;
};

export type Gateway = {
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  readonly process: ChildProcess;
  readonly token: string;
  readonly log: () => string;
  admin(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AdminAnswer>;
  chat(key: string, body: Readonly<Record<string, unknown>>, more?: RequestInit): Promise<Response>;
  get(key: string, path: string): Promise<AdminAnswer>;
  /** An account with live and test credits and a key. Limits are wide unless given. */
  customer(wish?: CustomerWish): Promise<Customer>;
  kill9(): Promise<void>;
  /** SIGTERM; resolves with the exit code, which is null when it had to be killed because it did not end. */
  stop(): Promise<number | null>;
};

// The answers of the API under test: each test asserts the members it reads.
// oxlint-disable-next-line typescript/no-explicit-any
export type AdminAnswer = { readonly status: number; readonly body: any; readonly headers: Headers };

export type CustomerWish = {
  readonly credits?: string;
  readonly mode?: "live" | "test";
  readonly rpm?: number;
  readonly concurrent?: number;
  readonly models?: readonly string[];
};

export type Customer = { readonly accountId: string; readonly keyId: string; readonly key: string };

const startWithinMs = 30_000;
/** More than the server gives itself. */
const stopWithinMs = 75_000;

export async function startGateway(wish: GatewayOptions = {}): Promise<Gateway> {
  const isChosen = "databaseUrl" in wish || wish.directory !== undefined;
  const shared = isChosen ? undefined : await freshDatabaseHere();
  const options = shared === undefined ? wish : { ...wish, databaseUrl: shared.url };
  const directory = await directoryFor(options);
  const catalog = join(directory, "catalog");
  writeCatalog(catalog, options.moreProviders ?? {});
  writeMoreModels(catalog, options.moreModels ?? {});
  for (const [path, facts] of Object.entries(options.moreFiles ?? {})) {
    mkdirSync(dirname(join(catalog, path)), { recursive: true });
    writeFileSync(join(catalog, path), JSON.stringify(facts));
  }
  const child = spawn(process.execPath, ["src/main.ts", "serve", "--quiet"], {
    cwd: join(import.meta.dirname, "..", ".."),
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOf(options, directory, catalog),
  });
  let log = "";
  child.stderr.on("data", (bytes: Buffer) => (log += bytes.toString()));
  const killWithUs = () => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const url = await listening(child, () => log);
  const token = readFileSync(join(directory, "operator-token"), "utf8").trim();
  return gatewayAt({
    child,
    url,
    directory,
    token,
    log: () => log,
    keepsDirectory: options.directory !== undefined,
    dropDatabase: shared?.drop,
  });
}

function environmentOf(options: GatewayOptions, directory: string, catalog: string): NodeJS.ProcessEnv {
  const nowhere = "http://127.0.0.1:9";
  return {
    PATH: process.env["PATH"] ?? "",
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
    HOST: "127.0.0.1",
    PORT: String(options.port ?? 0),
    SKILLBOSS_DATA_DIR: directory,
    SKILLBOSS_CATALOG_DIR: catalog,
    SKILLBOSS_CONNECT_TIMEOUT_MS: "1000",
    SKILLBOSS_FIRST_BYTE_TIMEOUT_MS: "3000",
    SKILLBOSS_IDLE_TIMEOUT_MS: "3000",
    SKILLBOSS_CALL_TIMEOUT_MS: "30000",
    P1_API_KEY: "secret-p1",
    P2_API_KEY: "secret-p2",
    A1_API_KEY: "secret-a1",
    P1_BASE_URL: options.p1 ?? `${nowhere}/v1`,
    P2_BASE_URL: options.p2 ?? `${nowhere}/v1`,
    A1_BASE_URL: options.a1 ?? nowhere,
    ...moreProviderVariables(options.moreProviders ?? {}),
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...options.environment,
  };
}

/** A new one has the embedded database already made, which saves most of a first start. */
async function directoryFor({ directory, databaseUrl }: GatewayOptions): Promise<string> {
  if (directory !== undefined) return directory;
  if (databaseUrl !== undefined) return mkdtempSync(join(tmpdir(), "skillboss-test-"));
  const { freshDataDirectory } = await import("./embedded.ts");
  return freshDataDirectory();
}

function listening(child: ChildProcess, log: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(
      () => reject(new Error(`the gateway did not start:\n${output}\n${log()}`)),
      startWithinMs,
    );
    child.stdout?.on("data", (bytes: Buffer) => {
      output += bytes.toString();
      const url = /listens on (http:\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the gateway ended with ${code}:\n${output}\n${log()}`));
    });
  });
}

type Started = {
  readonly child: ChildProcess;
  readonly url: string;
  readonly directory: string;
  readonly token: string;
  readonly log: () => string;
  readonly keepsDirectory: boolean;
  readonly dropDatabase: (() => Promise<void>) | undefined;
};

function gatewayAt(started: Started): Gateway {
  const { child, url, directory, token, log, keepsDirectory, dropDatabase } = started;
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const ask = async (path: string, init: RequestInit): Promise<AdminAnswer> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  };
  const json = { "content-type": "application/json" };
  const admin: Gateway["admin"] = (method, path, body, headers) =>
    ask(`/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : json), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    url,
    directory,
    token,
    log,
    admin,
    process: child,
    port: Number(new URL(url).port),
    chat: (key, body, more) =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, ...json },
        body: JSON.stringify(body),
        ...more,
      }),
    get: (key, path) => ask(path, { headers: { authorization: `Bearer ${key}` } }),
    async customer(wish = {}) {
      const limits = {
        requests_per_minute: wish.rpm ?? 100_000,
        concurrent_requests: wish.concurrent ?? 1000,
      };
      const { body: account } = await admin("POST", "/accounts", { name: "customer", limits });
      const mode = wish.mode ?? "live";
      const credits = wish.credits ?? "1000.00";
      if (Number(credits) > 0)
        await admin("POST", `/accounts/${account.id}/credits`, { credits, mode, reason: "test" });
      const { body: key } = await admin("POST", `/accounts/${account.id}/keys`, {
        mode,
        ...(wish.models === undefined ? {} : { models: wish.models }),
      });
      return { accountId: account.id, keyId: key.id, key: key.key };
    },
    async kill9() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
      const code = await ended;
      clearTimeout(timer);
      if (!keepsDirectory) rmSync(directory, { recursive: true, force: true });
      await dropDatabase?.();
      return code;
    },
  };
}

function moreProviderVariables(providers: Readonly<Record<string, string>>): Record<string, string> {
  const variables = Object.entries(providers).flatMap(([id, baseUrl]) => [
    [`${id.toUpperCase()}_API_KEY`, `secret-${id}`],
    [`${id.toUpperCase()}_BASE_URL`, baseUrl],
  ]);
  return Object.fromEntries(variables);
}
