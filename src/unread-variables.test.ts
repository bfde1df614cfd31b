import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Log, LogFields } from "./core/log.ts";
import { warnOfUnread } from "./unread-variables.ts";

const builtIn = join(import.meta.dirname, "..", "catalog");

/** The fields of each warning. */
function warningsOf(environment: Readonly<Record<string, string>>, folder?: string): readonly LogFields[] {
  const warnings: LogFields[] = [];
  const none = () => undefined;
  const log: Log = { debug: none, info: none, error: none, warn: (fields) => void warnings.push(fields) };
  warnOfUnread(environment, folder === undefined ? [builtIn] : [builtIn, folder], log);
  return warnings;
}

test("a variable of our name that nothing reads is warned of once, with the nearest that is read", () => {
  const cases = [
    ["SKILLBOSS_CREDIT_USDD", "SKILLBOSS_CREDIT_USD"],
    ["SKILLBOSS_ENGINE_OFF", "SKILLBOSS_ENGINES_OFF"],
    ["SKILLBOSS_PORT", "PORT"],
    ["SKILLBOSS_OPENAI_API_KEY", "OPENAI_API_KEY"],
    ["SKILLBOSS_API_KEYS", "SKILLBOSS_API_KEY"],
  ] as const;
  for (const [variable, nearest] of cases)
    assert.deepEqual(warningsOf({ [variable]: "5" }), [{ variable, did_you_mean: nearest }]);
  assert.deepEqual(warningsOf({ SKILLBOSS_QQQQ: "5" }), [{ variable: "SKILLBOSS_QQQQ" }]);
});

test("no variable of the README, of the launcher, of a cluster or without a value is warned of", () => {
  const readme = readFileSync(join(builtIn, "..", "README.md"), "utf8");
  const named = readme.match(/SKILLBOSS_[A-Z0-9_]+/g) ?? [];
  assert.ok(named.length > 30);
  const environment = {
    ...Object.fromEntries(named.map((name) => [name, "x"])),
    SKILLBOSS_LAUNCHED: "1",
    SKILLBOSS_SERVICE_HOST: "10.0.0.1",
    SKILLBOSS_PORT: "tcp://10.0.0.1:8787",
    SKILLBOSS_PORT_8787_TCP_ADDR: "10.0.0.1",
    SKILLBOSS_EMPTY: "",
  };
  assert.deepEqual(warningsOf(environment), []);
});

test("a variable that a provider of the operator's catalog names is not warned of", () => {
  const folder = mkdtempSync(join(tmpdir(), "unread-"));
  mkdirSync(join(folder, "providers"));
  const provider = {
    id: "own",
    name: "Own",
    base_url: "https://own.example/v1",
    key_variable: "SKILLBOSS_OWN_SECRET",
    settings: { account: { variable: "SKILLBOSS_OWN_ACCOUNT" } },
  };
  writeFileSync(join(folder, "providers", "own.json"), JSON.stringify(provider));
  const environment = { SKILLBOSS_OWN_SECRET: "a", SKILLBOSS_OWN_ACCOUNT: "b", SKILLBOSS_OWN_REGION: "c" };
  const warned = warningsOf(environment, folder).map(({ variable }) => variable);
  rmSync(folder, { recursive: true });
  assert.deepEqual(warned, ["SKILLBOSS_OWN_REGION"]);
});
