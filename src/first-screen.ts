import type { Config } from "./config.ts";
import type { Mode } from "./core/caller.ts";
import type { House } from "./wiring.ts";

export type Screen = {
  readonly url: string;
  readonly house: House;
  readonly config: Config;
  readonly secrets: Readonly<Partial<Record<Mode, string>>>;
};

/** What a person needs in the first minute: where it is, two keys, a call that works, and what is missing. */
export function firstScreen({ url, house, config, secrets }: Screen): string {
  const { providers } = house.chat.catalog;
  const configured = providers
    .filter((provider) => house.lines.isConfigured(provider))
    .map((provider) => provider.id);
  const lines = [
    "",
    "  SkillBoss is running.",
    "",
    `  Base URL        ${url}/v1`,
    `  Live key        ${secrets.live ?? "(none: skillboss keys create owner --mode live)"}`,
    `  Test key        ${secrets.test ?? "(none: skillboss keys create owner --mode test)"}`,
    `  Operator token  ${house.operatorToken.place}`,
    `  Database        ${config.databaseUrl === undefined ? `embedded, in ${config.dataDirectory}` : "PostgreSQL"}`,
    `  Limits          ${config.redisUrl === undefined ? "in memory" : "Redis"}`,
    `  Engines here    ${house.engines.ready.join(", ") || "none"}`,
    `  Providers       ${configured.length > 0 ? configured.join(", ") : "none yet: set for example OPENAI_API_KEY and start again"}`,
    "",
    "  Try it (test key: built-in emulators, no cost):",
    "",
    `  ${curlLine(url, secrets.test ?? "$SKILLBOSS_API_KEY")}`,
    "",
  ];
  return lines.join("\n");
}

function curlLine(url: string, key: string): string {
  const body = JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello!" }] });
  return `curl ${url}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${body}'`;
}
