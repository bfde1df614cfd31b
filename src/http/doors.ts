import { callerHeaders } from "../calls/caller-headers.ts";
import type { ChatHouse } from "../calls/chat-house.ts";
import type { RunHouse } from "../calls/runs/run-house.ts";
import type { RunNews } from "../calls/runs/run-news.ts";
import type { RunKeeper } from "../calls/runs/run-keeper.ts";
import type { Webhooks } from "../calls/webhooks/webhooks.ts";
import type { UsageReports } from "../calls/usage-report.ts";
import type { Files } from "../files/files.ts";
import type { Accounts } from "../identity/accounts.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import type { Keys } from "../identity/keys.ts";
import { accountDoors } from "./admin-accounts.ts";
import { adminHealthDoor } from "./admin-health.ts";
import type { LoopLag } from "./admin-health.ts";
import { keyDoors } from "./admin-keys.ts";
import { ledgerDoors } from "./admin-ledger.ts";
import { balanceDoors } from "./balance.ts";
import { chatCompletionsDoor } from "./chat-completions.ts";
import type { Door } from "./door.ts";
import { embeddingsDoor } from "./embeddings.ts";
import { enginesPageDoor } from "./engines-page.ts";
import { fileDoors } from "./files.ts";
import { healthDoors } from "./health.ts";
import { jobDoors } from "./jobs.ts";
import { audioDoors } from "./media-audio.ts";
import { imageDoors } from "./media-images.ts";
import { modelsDoors } from "./models.ts";
import { openapiDoor } from "./openapi.ts";
import { runDoor } from "./run-door.ts";
import { mailDoors } from "./send-emails.ts";
import { usageDoors } from "./usage.ts";
import { webhookDoors } from "./webhooks.ts";

type RunDoorsHouse = {
  readonly runs: RunHouse;
  readonly keeper: RunKeeper;
  readonly news: RunNews;
  readonly webhooks: Webhooks;
  readonly files: Files;
};

export type DoorsHouse = {
  readonly chat: ChatHouse;
  readonly usage: UsageReports;
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly doorkeeper: Doorkeeper;
  readonly isReady: () => Promise<boolean>;
  readonly lag: () => LoopLag;
  readonly version: string;
  readonly rooms: RunDoorsHouse;
  /** The address under which customers reach us; undefined: as each request has it. */
  readonly publicUrl: string | undefined;
  readonly maxBodyBytes: number;
};

/** Every public door. A route that is not in this list does not exist; who may come in is part of each entry. */
export function allDoors(house: DoorsHouse): readonly Door[] {
  const { chat, accounts, keys, doorkeeper } = house;
  const { ledger, catalog, creditUsd } = chat;
  const { runs, keeper, news, files, webhooks } = house.rooms;
  const { worker, deliveries, secrets } = webhooks;
  const { publicUrl, maxBodyBytes } = house;
  const runsHouse = { runs, keeper, news, chat, publicUrl, maxBodyBytes };
  const doors: readonly Door[] = [
    chatCompletionsDoor(chat),
    runDoor(runsHouse),
    ...jobDoors(runsHouse),
    ...imageDoors(runsHouse),
    ...audioDoors(runsHouse),
    embeddingsDoor(runsHouse),
    ...mailDoors(runsHouse),
    ...webhookDoors({ deliveries, secrets, nudge: () => worker.nudge() }),
    ...fileDoors({
      files,
      doorkeeper,
      clock: chat.clock,
      stalledClientMs: chat.stalledClientMs,
      headersFor: (caller) => callerHeaders(caller, chat),
      publicUrlOf: (visit) => house.publicUrl ?? visit.origin,
    }),
    enginesPageDoor(),
    ...modelsDoors({
      catalog,
      creditUsd,
      publicUrlOf: (visit) => house.publicUrl ?? visit.origin,
      isServed: (offer, model, mode) => chat.lineTo(offer, model, mode) !== undefined,
      isRunServed: (offer, mode) => runs.lineTo(offer, mode) !== undefined,
    }),
    ...balanceDoors({ ledger, creditUsd }),
    ...usageDoors({ usage: house.usage, creditUsd, catalog }),
    ...accountDoors({ accounts, ledger, doorkeeper }),
    ...keyDoors({ accounts, keys, doorkeeper, catalog }),
    ...ledgerDoors({ accounts, ledger }),
    adminHealthDoor({ openCalls: chat.openCalls, lag: house.lag }),
    ...healthDoors(house.isReady),
    openapiDoor(() => doors, house.version),
  ];
  return doors;
}
