import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freshDatabaseHere } from "./postgres.ts";
import { writeCatalog, writeMoreModels } from "./test-catalog.ts";
import type { TestRate } from "./test-catalog.ts";

/**
 * A gateway on loopback with the models of the test plan in its catalog: `m-chat` (provider p1), `m-two` (p1, then p2,
 * which is dearer), `m-claude` (a1, Anthropic's wire) and `m-free`.
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

export const startWithinMs = 30_000;
/** More than the server gives itself. */
export const stopWithinMs = 75_000;

/** What a gateway is started with: its folder, with a catalog in it, and its variables. */
export type Prepared = {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The operator's token, once it has started. */
  token(): string;
  /** Takes away what was made for it alone. */
  clearAway(): Promise<void>;
};

export async function prepare(wish: GatewayOptions): Promise<Prepared> {
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
  return {
    directory,
    environment: environmentOf(options, directory, catalog),
    token: () => readFileSync(join(directory, "operator-token"), "utf8").trim(),
    async clearAway() {
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
      await shared?.drop();
    },
  };
}

function environmentOf(options: GatewayOptions, directory: string, catalog: string): Prepared["environment"] {
  const nowhere = "http://127.0.0.1:9";
  return {
    PATH: process.env["PATH"] ?? "",
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

function moreProviderVariables(providers: Readonly<Record<string, string>>): Record<string, string> {
  const variables = Object.entries(providers).flatMap(([id, baseUrl]) => [
    [`${id.toUpperCase()}_API_KEY`, `secret-${id}`],
    [`${id.toUpperCase()}_BASE_URL`, baseUrl],
  ]);
  return Object.fromEntries(variables);
}
