import type { ChatHouse } from "../calls/chat-house.ts";
import type { UsageReports } from "../calls/usage-report.ts";
import type { Accounts } from "../identity/accounts.ts";
import type { Doorkeeper } from "../identity/doorkeeper.ts";
import type { Keys } from "../identity/keys.ts";
import { accountDoors } from "./admin-accounts.ts";
import { keyDoors } from "./admin-keys.ts";
import { ledgerDoors } from "./admin-ledger.ts";
import { balanceDoors } from "./balance.ts";
import { chatCompletionsDoor } from "./chat-completions.ts";
import type { Door } from "./door.ts";
import { healthDoors } from "./health.ts";
import { modelsDoors } from "./models.ts";
import { openapiDoor } from "./openapi.ts";
import { usageDoors } from "./usage.ts";

export type DoorsHouse = {
  readonly chat: ChatHouse;
  readonly usage: UsageReports;
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly doorkeeper: Doorkeeper;
  readonly isReady: () => Promise<boolean>;
  readonly version: string;
};

/** Every public door. A route that is not in this list does not exist; who may come in is part of each entry. */
export function allDoors(house: DoorsHouse): readonly Door[] {
  const { chat, accounts, keys, doorkeeper } = house;
  const { ledger, catalog, creditUsd } = chat;
  const doors: readonly Door[] = [
    chatCompletionsDoor(chat),
    ...modelsDoors({
      catalog,
      creditUsd,
      isServed: (offer, model, mode) => chat.lineTo(offer, model, mode) !== undefined,
    }),
    ...balanceDoors({ ledger, creditUsd }),
    ...usageDoors({ usage: house.usage, creditUsd }),
    ...accountDoors({ accounts, ledger, doorkeeper }),
    ...keyDoors({ accounts, keys, doorkeeper }),
    ...ledgerDoors({ accounts, ledger }),
    ...healthDoors(house.isReady),
    openapiDoor(() => doors, house.version),
  ];
  return doors;
}
