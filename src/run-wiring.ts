/** The half of the composition root that makes what runs need: files, the way out, engines, and the keeper of runs. */
import { join } from "node:path";
import type { ChatHouse } from "./calls/chat-house.ts";
import { Retention } from "./calls/retention.ts";
import type { RunHouse } from "./calls/runs/run-house.ts";
import { RunKeeper } from "./calls/runs/run-keeper.ts";
import { runNewsOf } from "./calls/runs/run-news.ts";
import type { RunNews } from "./calls/runs/run-news.ts";
import { runStoreOf } from "./calls/runs/sql-run-store.ts";
import type { Config } from "./config.ts";
import type { Log } from "./core/log.ts";
import { webhooksOf } from "./calls/webhooks/webhooks.ts";
import type { Webhooks } from "./calls/webhooks/webhooks.ts";
import { createEgress } from "./egress/egress.ts";
import type { Egress } from "./egress/egress.ts";
import { enginesOf } from "./engine-wiring.ts";
import type { Engines } from "./engine-wiring.ts";
import { filesOf } from "./files/files.ts";
import type { Files } from "./files/files.ts";
import type { FileStore } from "./files/file-store.ts";
import { localFileStore } from "./files/local-file-store.ts";
import { runLinesOf } from "./run-lines.ts";
import type { RunLines } from "./run-lines.ts";
import type { Database } from "./storage/database.ts";

const sweepEveryMs = 600_000;

export type RunParts = {
  readonly config: Config;
  readonly log: Log;
  readonly database: Database;
  readonly nodeId: string;
  readonly secret: string;
  readonly sandboxUrl: string;
  readonly chat: ChatHouse;
};

export type RunRooms = {
  readonly runs: RunHouse;
  readonly keeper: RunKeeper;
  readonly news: RunNews;
  readonly webhooks: Webhooks;
  readonly files: Files;
  readonly egress: Egress;
  readonly lines: RunLines;
  readonly engines: Engines;
  /** Runs are given back first; then nothing is asked any more. */
  stop(): Promise<void>;
};

export async function makeRunRooms(parts: RunParts): Promise<RunRooms> {
  const { config, log, database, chat } = parts;
  const { clock } = chat;
  const egress = createEgress({ allowed: config.egressAllow });
  const files = filesOf({
    database,
    clock,
    secret: parts.secret,
    log,
    store: await fileStoreOf(config, log),
  });
  const engines = enginesOf(config, egress, clock);
  const lines = runLinesOf(config, parts.sandboxUrl, engines.byName);
  const news = runNewsOf(parts.secret, config.publicUrl);
  const webhooks = webhooksOf({
    database,
    egress,
    clock,
    log,
    secret: parts.secret,
    backoffMs: config.webhookBackoffMs,
  });
  const runs = runHouseOf(parts, { egress, files, lines, news, webhooks });
  const keeper = new RunKeeper(runs);
  const retention = new Retention({ database, log, days: config.runRetentionDays });
  files.startSweeping(sweepEveryMs);
  retention.start();
  webhooks.worker.start();
  return {
    runs,
    keeper,
    news,
    webhooks,
    files,
    egress,
    lines,
    engines,
    async stop() {
      await keeper.stop();
      await webhooks.worker.stop();
      await retention.stop();
      await Promise.all([engines.stop(), files.stop(), egress.stop()]);
    },
  };
}

type RunTools = Pick<RunRooms, "egress" | "files" | "lines" | "news" | "webhooks">;

function runHouseOf(parts: RunParts, { egress, files, lines, news, webhooks }: RunTools): RunHouse {
  const { config, chat } = parts;
  return {
    catalog: chat.catalog,
    ledger: chat.ledger,
    limiter: chat.limiter,
    store: runStoreOf(parts.database, parts.nodeId),
    health: chat.health,
    upstream: chat.upstream,
    egress,
    files,
    openCalls: chat.openCalls,
    clock: chat.clock,
    log: chat.log,
    creditUsd: chat.creditUsd,
    waitMs: config.runWaitMs,
    newsUrlOf: (runId) => news.urlOf(runId),
    messageIsWaiting: () => webhooks.worker.nudge(),
    lineTo: (offer, mode) => lines.lineTo(offer, mode),
    remedyFor: (offer) => lines.remedyFor(offer),
  };
}

async function fileStoreOf({ s3, dataDirectory }: Config, log: Log): Promise<FileStore> {
  if (s3 === undefined) return localFileStore(join(dataDirectory, "files"));
  const { s3FileStore } = await import("./files/s3-file-store.ts");
  const store = s3FileStore({ ...s3, log });
  void tellWhetherItAnswers(store, s3.bucket, log);
  return store;
}

/** What is wrong with the bucket or its credential is told now, not by the first result that a provider is paid for. */
async function tellWhetherItAnswers(store: FileStore, bucket: string, log: Log): Promise<void> {
  try {
    const file = await store.open(`file_${"0".repeat(32)}`);
    file?.body.destroy();
  } catch (error) {
    log.error(
      { bucket, err: error },
      "the bucket for files cannot be read: nothing can be stored until it can",
    );
  }
}
