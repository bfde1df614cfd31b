/**
 * `npm run bench`: what a call costs through the gateway, through a bare proxy and directly, in one run on this machine.
 * CPU per request is the measure that holds on noisy machines; read the ratios, never the absolute figures of two runs.
 * `--other` measures the gateway of another checkout too: only in one run can two versions be compared.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../tests/support/postgres.ts";
import { beside, freePort, moveBeside, pinned, running, start } from "./programs.ts";

const usage = `npm run bench -- [options]: CPU per request and latency through the gateway, a bare proxy and directly

  --rounds N         how often each is measured, in turn (3)
  --seconds N        how long each time (3)
  --only TEXT        scenarios whose name has this in it: whole, stream, 32 …
  --database TEXT    databases whose name has this in it
  --other FOLDER     the gateway of another checkout beside this one's
  --json             every sample, as JSON
`;

const { values: options } = parseArgs({
  options: {
    help: { type: "boolean", short: "h", default: false },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    database: { type: "string", default: "" },
    other: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

if (options.help) {
  console.log(usage);
  process.exit();
}

type Scenario = { readonly name: string; readonly connections: number; readonly body: string };
type Target = {
  readonly name: string;
  readonly port: number;
  readonly key: string;
  readonly pid: number | undefined;
};
type Result = {
  readonly answers: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstByteMs: number;
};
type Sample = Result & { readonly cpuUs: number | undefined };

const question = {
  model: "gpt-4o-mini",
  max_tokens: 200,
  messages: [
    { role: "system", content: "You are terse. ".repeat(30) },
    { role: "user", content: "Tell me about gateways. ".repeat(18) },
  ],
};
const scenarios: readonly Scenario[] = [
  { name: "whole, 32 connections", connections: 32, body: JSON.stringify(question) },
  { name: "whole, 128 connections", connections: 128, body: JSON.stringify(question) },
  { name: "whole, 1 connection", connections: 1, body: JSON.stringify(question) },
  {
    name: "stream of 100 chunks, 16 connections",
    connections: 16,
    body: JSON.stringify({ ...question, stream: true }),
  },
];

/** Until the code is compiled and the connections are open; cold code costs several times as much. */
const warmUpSeconds = 4;

const folders: string[] = [];

type Gateway = {
  readonly name: string;
  readonly upstreamPort: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
};

async function startGateway({ name, upstreamPort, environment, folder }: Gateway): Promise<Target> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "skillboss-bench-"));
  folders.push(directory);
  const settings: Readonly<Record<string, string>> = {
    PORT: String(port),
    SKILLBOSS_DATA_DIR: directory,
    SKILLBOSS_LOG_LEVEL: "warn",
    OPENAI_API_KEY: "upstream",
    OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
    ...environment,
  };
  const child = await start({
    command: [...pinned, process.execPath, "src/main.ts", "serve", "--quiet"],
    environment: settings,
    ready: /listens on/,
    folder,
  });
  const token = readFileSync(join(directory, "operator-token"), "utf8").trim();
  const ask = async (path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`http://127.0.0.1:${port}/admin/v1${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as { readonly id: string; readonly key: string };
  };
  const account = await ask("/accounts", {
    name: "bench",
    plan: "pro",
    limits: { requests_per_minute: 1_000_000, concurrent_requests: 10_000 },
  });
  await ask(`/accounts/${account.id}/credits`, { credits: "100000000", mode: "live" });
  const { key } = await ask(`/accounts/${account.id}/keys`, { mode: "live" });
  return { name, port, key, pid: child.pid };
}

/** Nanoseconds on a processor of all threads of a process; undefined where the system does not tell. */
function cpuOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce(
      (sum, thread) =>
        sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
      0,
    );
  } catch {
    return undefined;
  }
}

function load(target: Target, scenario: Scenario, seconds: number): Promise<Result> {
  const settings = {
    port: target.port,
    headers: { authorization: `Bearer ${target.key}` },
    body: scenario.body,
    connections: scenario.connections,
    seconds,
  };
  const command: readonly string[] = [...beside, process.execPath, "bench/load.ts", JSON.stringify(settings)];
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
    child.once("close", () =>
      output === "" ? reject(new Error("no result")) : resolve(JSON.parse(output) as Result),
    );
  });
}

async function sample(target: Target, scenario: Scenario): Promise<Sample> {
  await load(target, scenario, warmUpSeconds);
  const before = cpuOf(target.pid);
  const result = await load(target, scenario, Number(options.seconds));
  const after = cpuOf(target.pid);
  const cpuUs =
    before === undefined || after === undefined
      ? undefined
      : (after - before) / 1000 / Math.max(1, result.answers);
  return { ...result, cpuUs };
}

/** The round in which the machine disturbed least. */
function best(samples: readonly Sample[]): Sample | undefined {
  return samples.toSorted((a, b) => (a.cpuUs ?? a.p50Ms) - (b.cpuUs ?? b.p50Ms))[0];
}

function row(name: string, one: Sample, raw: Sample): string {
  const ratio = one.cpuUs === undefined || raw.cpuUs === undefined ? "" : (one.cpuUs / raw.cpuUs).toFixed(2);
  const rate = Math.round(one.answers / Number(options.seconds));
  const cells = [
    name.padEnd(22),
    one.cpuUs?.toFixed(0) ?? "",
    ratio,
    rate,
    one.p50Ms.toFixed(2),
    one.p99Ms.toFixed(2),
    one.firstByteMs.toFixed(2),
    one.failures,
  ];
  return `| ${cells.map((cell) => String(cell).padStart(9)).join(" | ")} |`;
}

type Database = {
  readonly name: string;
  /** Undefined, with a word about why, where this machine has none. */
  readonly settings: () => Promise<Readonly<Record<string, string>> | undefined>;
};

const databases: readonly Database[] = [
  { name: "PostgreSQL", settings: postgresSettings },
  { name: "embedded", settings: () => Promise.resolve({}) },
];

const checkouts: readonly (readonly [string, string])[] = [
  ["gateway", "."],
  ...(options.other === undefined ? [] : [["other", options.other] as const]),
];

async function postgresSettings(): Promise<Readonly<Record<string, string>> | undefined> {
  const postgres = await startPostgres();
  if (!("skipped" in postgres)) return { DATABASE_URL: await postgres.freshDatabase() };
  console.log(postgres.skipped);
  return undefined;
}

async function startTargets(): Promise<readonly Target[]> {
  await moveBeside();
  const [upstreamPort, proxyPort] = [await freePort(), await freePort()];
  const mockCommand = [process.execPath, "bench/mock-upstream.ts", String(upstreamPort)];
  await start({ command: [...beside, ...mockCommand], ready: /ready/ });
  const proxyCommand = [process.execPath, "bench/raw-proxy.ts", String(proxyPort), String(upstreamPort)];
  const proxy = await start({ command: [...pinned, ...proxyCommand], ready: /ready/ });
  const targets: Target[] = [
    { name: "direct", port: upstreamPort, key: "none", pid: undefined },
    { name: "raw proxy", port: proxyPort, key: "none", pid: proxy.pid },
  ];
  for (const { name, settings } of databases.filter((one) => one.name.includes(options.database))) {
    for (const [prefix, folder] of checkouts) {
      const environment = await settings();
      if (environment === undefined) continue;
      targets.push(await startGateway({ name: `${prefix}, ${name}`, upstreamPort, environment, folder }));
    }
  }
  return targets;
}

/** All targets in turn, round after round, so that a change of the machine's mood meets all of them. */
async function measure(targets: readonly Target[], scenario: Scenario): Promise<ReadonlyMap<string, Sample>> {
  const samples = new Map<string, Sample[]>(targets.map((target) => [target.name, []]));
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const target of targets) samples.get(target.name)?.push(await sample(target, scenario));
  }
  return new Map(
    [...samples].flatMap(([name, all]) => {
      const one = best(all);
      return one === undefined ? [] : [[name, one] as const];
    }),
  );
}

const columns = ["", "CPU µs/rq", "÷ raw", "req/s", "p50 ms", "p99 ms", "1st byte ms", "failed"];

function print(scenario: Scenario, measured: ReadonlyMap<string, Sample>): void {
  const raw = measured.get("raw proxy");
  const head = columns.map((column, at) => (at === 0 ? column.padEnd(22) : column.padStart(9)));
  console.log(`\n${scenario.name}\n| ${head.join(" | ")} |\n|${"---|".repeat(columns.length)}`);
  for (const [name, one] of measured) if (raw !== undefined) console.log(row(name, one, raw));
}

async function main(): Promise<void> {
  const targets = await startTargets();
  const results: unknown[] = [];
  for (const scenario of scenarios.filter((one) => one.name.includes(options.only))) {
    const measured = await measure(targets, scenario);
    print(scenario, measured);
    for (const [target, one] of measured) results.push({ scenario: scenario.name, target, ...one });
  }
  if (options.json) console.log(JSON.stringify(results));
}

try {
  await main();
} finally {
  for (const child of running) child.kill("SIGKILL");
  const postgres = await startPostgres();
  if (!("skipped" in postgres)) await postgres.stop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
