import { join, resolve } from "node:path";
import type { Config } from "./config.ts";
import { modes } from "./core/caller.ts";
import type { Mode } from "./core/caller.ts";
import { owner } from "./starter.ts";
import type { Account } from "./identity/accounts.ts";
import type { House } from "./wiring.ts";

export type Screen = {
  readonly url: string;
  readonly house: House;
  readonly config: Config;
  readonly secrets: Readonly<Partial<Record<Mode, string>>>;
  /** The owner's, or another one; undefined when there is none yet. */
  readonly account: Account | undefined;
};

/** What a person needs in the first minute: where it is, two keys, a call that works, and what is missing. */
export function firstScreen(screen: Screen): string {
  const { url, house, config, secrets } = screen;
  const configured = configuredIn(house);
  const lines = [
    "",
    "  SkillBoss is running.",
    "",
    `  Base URL        ${url}/v1`,
    `  Live key        ${secrets.live ?? withoutKey(screen)}`,
    `  Test key        ${secrets.test ?? withoutKey(screen)}`,
    `  Operator token  ${house.operatorToken.place}`,
    `  Database        ${config.databaseUrl === undefined ? `embedded, in ${config.dataDirectory}` : "PostgreSQL"}`,
    `  Limits          ${config.redisUrl === undefined ? "in memory" : "Redis"}`,
    `  Engines here    ${house.engines.ready.join(", ") || "none"}`,
    `  Providers       ${configured.length > 0 ? configured.join(", ") : "none yet: set for example OPENAI_API_KEY and start again"}`,
    "",
    ...commandsFor(screen),
    "  Try it (test key: built-in emulators, no cost):",
    "",
    `  ${curlLine(url, secrets.test ?? "$SKILLBOSS_API_KEY")}`,
    "",
  ];
  return lines.join("\n");
}

/** The same for programs. */
export function startedAs({ url, house, config, secrets }: Screen): Readonly<Record<string, unknown>> {
  return {
    url,
    base_url: `${url}/v1`,
    keys: Object.fromEntries(modes.map((mode) => [mode, secrets[mode] ?? null])),
    operator_token: house.operatorToken.place,
    database: config.databaseUrl === undefined ? "embedded" : "postgresql",
    data_directory: config.dataDirectory,
    limits: config.redisUrl === undefined ? "memory" : "redis",
    engines: house.engines.ready,
    providers: configuredIn(house),
  };
}

function configuredIn({ chat, lines }: House): readonly string[] {
  return chat.catalog.providers.filter((provider) => lines.isConfigured(provider)).map(({ id }) => id);
}

function withoutKey({ account }: Screen): string {
  return account === undefined ? "none yet, see below" : "not shown: a key is shown once, when it is made";
}

/** How to come to a key that is not shown: commands that work as printed, in the folder of the project. */
function commandsFor(screen: Screen): readonly string[] {
  const { account, secrets } = screen;
  const missing = modes.filter((mode) => secrets[mode] === undefined);
  if (missing.length === 0) return [];
  const name = account === undefined || account.name === owner ? owner : account.id;
  const first = [
    `accounts create ${name}`,
    ...modes.map((mode) => `credits grant ${name} 100.00 --mode ${mode} --reason "first credits"`),
  ];
  const commands = [
    ...(account === undefined ? first : []),
    ...missing.map((mode) => `keys create ${name} --mode ${mode}`),
  ];
  const start = commandStart(screen);
  const what = account === undefined ? "An account, credits and keys" : "New keys";
  return [
    `  ${what}, from the folder of SkillBoss:`,
    "",
    ...commands.map((words) => `  ${start} ${words}`),
    "",
  ];
}

/** `npm run skillboss --`, with what differs from the defaults of the command line. */
function commandStart({ url, house, config }: Screen): string {
  const project = join(import.meta.dirname, "..");
  const isUsual = config.dataDirectory === resolve(project, ".skillboss");
  const isInFile = house.operatorToken.place.startsWith(config.dataDirectory);
  const directory = isUsual || !isInFile ? "" : `SKILLBOSS_DATA_DIR=${quoted(config.dataDirectory)} `;
  const address = url === "http://127.0.0.1:8787" ? "" : ` --url ${quoted(reachable(url))}`;
  return `${directory}npm run -s skillboss --${address}`;
}

/** Who listens everywhere is asked here. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function quoted(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** It works as printed, in shells too that take the brackets of an IPv6 address for a pattern. */
export function curlLine(url: string, key: string): string {
  const address = quoted(`${reachable(url)}/v1/chat/completions`);
  const body = JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello!" }] });
  return `curl ${address} -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${body}'`;
}
