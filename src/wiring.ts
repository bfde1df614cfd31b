/** The composition root: every part is made once, by hand, in the order in which they need each other. */
import type { Server } from "node:http";
import { callerHeaders } from "./calls/caller-headers.ts";
import type { ChatHouse } from "./calls/chat-house.ts";
import type { Patience } from "./calls/patience.ts";
import type { KeptAnswers } from "./calls/idempotency/kept-answers.ts";
import { keptAnswersOf } from "./calls/idempotency/sql-kept-answers.ts";
import { openCalls } from "./calls/open-calls.ts";
import { tokenCounter } from "./calls/token-counter.ts";
import { usageReports } from "./calls/usage-report.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { loadCatalog } from "./catalog/load.ts";
import { checkedSources } from "./check-catalog.ts";
import type { Config } from "./config.ts";
import type { Engines } from "./engine-wiring.ts";
import { systemClock } from "./core/clock.ts";
import type { Log } from "./core/log.ts";
import { SharedReads } from "./core/shared-reads.ts";
import { allDoors } from "./http/doors.ts";
import { frontServer } from "./http/server.ts";
import { openConnectionsOf } from "./http/open-connections.ts";
import type { OpenConnections } from "./http/open-connections.ts";
import { accountsOf } from "./identity/accounts.ts";
import type { Accounts } from "./identity/accounts.ts";
import { doorkeeper } from "./identity/doorkeeper.ts";
import { houseSecretIn } from "./identity/house-secret.ts";
import { contextWindowsOf } from "./context-windows.ts";
import { keysOf } from "./identity/keys.ts";
import type { Keys } from "./identity/keys.ts";
import { operatorTokenIn } from "./identity/operator-token.ts";
import type { OperatorToken } from "./identity/operator-token.ts";
import { openBooks } from "./ledger/balances.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { sqlLedger } from "./ledger/sql-ledger.ts";
import type { Limiter } from "./limits/limits.ts";
import { memoryLimiter } from "./limits/memory-limiter.ts";
import { linesOf } from "./lines.ts";
import type { Lines } from "./lines.ts";
import { watchLoopLag } from "./loop-lag.ts";
import type { LagWatch } from "./loop-lag.ts";
import { takeDirectory } from "./node-identity.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { createUpstream } from "./providers/upstream.ts";
import type { Upstream } from "./providers/upstream.ts";
import { healthOf, neverResting } from "./routing/health.ts";
import { makeRunRooms } from "./run-wiring.ts";
import type { RunRooms } from "./run-wiring.ts";
import { databaseFault, makeDataDirectory } from "./start-faults.ts";
import { startSandbox } from "./sandbox/sandbox.ts";
import type { Database, Statement } from "./storage/database.ts";
import { openDatabase } from "./storage/open-database.ts";
import { version } from "./version.ts";

export type House = {
  readonly server: Server;
  readonly connections: OpenConnections;
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly chat: ChatHouse;
  readonly lines: Lines;
  readonly engines: Engines;
  readonly operatorToken: OperatorToken;
  /** Ends every part in order: providers, then money, then storage. */
  stop(): Promise<void>;
};

const stalledClientMs = 60_000;
const clock = systemClock;

/** Makes the house; nothing listens yet but the sandbox, on loopback. */
export async function buildHouse(config: Config, log: Log): Promise<House> {
  const { identity, database, ledger, catalog } = await layGround(config, log);
  const limiter = await limiterOf(config, log);
  const sandbox = await startSandbox({ now: () => clock.now(), windowOf: contextWindowsOf(catalog) });
  const lines = linesOf(config, sandbox.url);
  const chat = chatHouseOf({ config, log, catalog, ledger, limiter, lines });
  const secret = houseSecretIn(config.dataDirectory, config.secretKey);
  const { nodeId, deadNodes } = identity;
  const rooms = await makeRunRooms({ config, log, database, nodeId, secret, chat, sandboxUrl: sandbox.url });
  await rooms.keeper.start(database.home === "embedded" ? undefined : deadNodes);
  const isEmbedded = database.home === "embedded";
  const answers = keptAnswersOf({ database, nodeId, log, ...(isEmbedded ? {} : { deadNodes }) });
  const lag = watchLoopLag();
  const front = frontOf({ config, log, database, chat, rooms, answers, lag });
  return {
    ...front,
    chat,
    lines,
    engines: rooms.engines,
    async stop() {
      lag.stop();
      await rooms.stop();
      await chat.upstream.stop();
      await Promise.all([sandbox.stop(), limiter.stop(), chat.tokens.stop(), answers.stop()]);
      await ledger.stop();
      await database.close();
      identity.release();
    },
  };
}

type ChatParts = Pick<ChatHouse, "catalog" | "ledger" | "limiter" | "log"> & {
  readonly config: Config;
  readonly lines: Lines;
};

function chatHouseOf({ config, lines, ...parts }: ChatParts): ChatHouse {
  return {
    ...parts,
    recentBalances: new SharedReads(1_000, (accountId) => parts.ledger.balances(accountId)),
    upstream: upstreamOf(config, parts.log),
    tokens: tokenCounter(),
    clock,
    health: { live: healthOf(clock), test: neverResting },
    openCalls: openCalls(),
    creditUsd: config.creditUsd,
    keepAliveMs: config.keepAliveMs,
    patience: patienceOf(config),
    stalledClientMs,
    lineTo: (offer, model, mode) => lines.lineTo(offer, model, mode),
    variableFor: (offer) => lines.variableFor(offer),
  };
}

type Ground = {
  readonly identity: NodeIdentity;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly catalog: Catalog;
};

/** Endpoints of the built-in data are compiled when they are first used: the tests compile them all. */
function readCatalog({ catalogDirectories }: Config): Catalog {
  return loadCatalog(checkedSources(catalogDirectories, { trusted: catalogDirectories[0] }));
}

/** Data directory, database, ledger; what a crash left open is closed before anything new begins. */
async function layGround(config: Config, log: Log): Promise<Ground> {
  makeDataDirectory(config.dataDirectory);
  const identity = await takeDirectory(config.dataDirectory, config.databaseUrl !== undefined);
  const { nodeId, deadNodes } = identity;
  const opening = openDatabase({
    databaseUrl: config.databaseUrl,
    directory: config.dataDirectory,
    log,
  });
  // A failure is told where it is awaited. The data is read while the database opens in a thread of its own.
  opening.catch(() => undefined);
  const catalog = readCatalog(config);
  const database = await opening.catch((error: unknown) => {
    throw config.databaseUrl === undefined ? error : databaseFault(error, config.databaseUrl);
  });
  const known = database.home === "embedded" ? {} : { deadNodes };
  const ledger = sqlLedger({ database, nodeId, clock, log, ...known });
  const closed = await ledger.recover();
  if (closed > 0) log.info({ calls: closed }, "closed the calls that an earlier process left open");
  return { identity, database, ledger, catalog };
}

type FrontParts = {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly chat: ChatHouse;
  readonly rooms: RunRooms;
  readonly answers: KeptAnswers;
  readonly lag: LagWatch;
};

/** Identity and the public face. */
function frontOf({
  config,
  log,
  database,
  chat,
  rooms,
  answers,
  lag,
}: FrontParts): Pick<House, "server" | "connections" | "accounts" | "keys" | "operatorToken"> {
  const operatorToken = operatorTokenIn(config.dataDirectory, config.operatorToken);
  const keeper = doorkeeper({ database, clock, operatorToken: operatorToken.token });
  const accounts = accountsOf(database, openBooks);
  const keys = keysOf(database);
  const usage = usageReports(database, clock);
  const isReady = async () => !chat.openCalls.isClosed && (await isThere(database));
  const server = frontServer({
    doors: allDoors({
      chat,
      usage,
      accounts,
      keys,
      doorkeeper: keeper,
      isReady,
      lag: () => lag.read(),
      version,
      rooms,
      publicUrl: config.publicUrl,
      maxBodyBytes: config.maxBodyBytes,
    }),
    doorkeeper: keeper,
    log,
    maxBodyBytes: config.maxBodyBytes,
    answers,
    headersFor: (caller) => callerHeaders(caller, chat),
  });
  return { server, connections: openConnectionsOf(server), accounts, keys, operatorToken };
}

/** A standby answers too, but takes no calls. */
const writable: Statement = {
  name: "writable",
  text: "select current_setting('transaction_read_only') = 'off' as writable",
};

async function isThere(database: Database): Promise<boolean> {
  try {
    const [row] = await database.run(writable, []);
    return row?.["writable"] === true;
  } catch {
    return false;
  }
}

function patienceOf(config: Config): Patience {
  const {
    firstByteTimeoutMs: firstByteMs,
    idleTimeoutMs: idleMs,
    longestFirstByteMs,
    longestIdleMs,
  } = config;
  return { firstByteMs, idleMs, longestFirstByteMs, longestIdleMs };
}

function upstreamOf(config: Config, log: Log): Upstream {
  const timeouts = {
    connectMs: config.connectTimeoutMs,
    firstByteMs: config.firstByteTimeoutMs,
    idleMs: config.idleTimeoutMs,
    totalMs: config.callTimeoutMs,
  };
  return createUpstream({ log, timeouts });
}

async function limiterOf(config: Config, log: Log): Promise<Limiter> {
  const local = memoryLimiter(clock);
  if (config.redisUrl === undefined) return local;
  const { redisLimiter } = await import("./limits/redis-limiter.ts");
  return redisLimiter({ url: config.redisUrl, clock, log, fallback: local });
}
