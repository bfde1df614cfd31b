import { TurnableClock } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { silentLog } from "../../core/log.ts";
import type { RunModel } from "../../core/model.ts";
import type { Engine, EngineResult } from "../../engines/engine.ts";
import type { FileStore } from "../../files/file-store.ts";
import { filesOf } from "../../files/files.ts";
import type { Files } from "../../files/files.ts";
import type { LedgerHome } from "../../ledger/ledger-homes.test-support.ts";
import { neverResting } from "../../routing/health.ts";
import type { RunHouse } from "./run-house.ts";
import { RunKeeper } from "./run-keeper.ts";
import type { RunRow, RunStore, SeenRun } from "./run-store.ts";
import { runStoreOf } from "./sql-run-store.ts";

/** For tests: runs by an engine of the test's own, on a real database. */
export type EngineHouse = {
  readonly house: RunHouse;
  readonly keeper: RunKeeper;
  readonly model: RunModel;
  /** Begins a run; resolves as soon as its row is there. */
  readonly begin: () => Promise<RunRow>;
  readonly read: (id: string) => Promise<SeenRun>;
  readonly files: Files;
};

export type EngineWish = {
  readonly run: Engine["run"];
  readonly hasSideEffects?: boolean;
  /** Stands before the store of runs. */
  readonly store?: (store: RunStore) => RunStore;
  /** Where files lie. Without one, nothing can be stored. */
  readonly fileStore?: FileStore;
};

export function engineHouse({ database }: LedgerHome, wish: EngineWish): EngineHouse {
  const engine: Engine = { name: "test", missing: () => undefined, run: wish.run };
  const model = modelOf(wish.hasSideEffects === true);
  const own = runStoreOf(database, "node_1");
  const store = wish.store === undefined ? own : wish.store(own);
  const clock = new TurnableClock();
  const files = filesOf({
    database,
    store: wish.fileStore ?? nowhere,
    clock,
    secret: "master",
    log: silentLog,
  });
  const parts: Partial<RunHouse> = {
    files,
    catalog: { find: () => ({ model }) } as unknown as RunHouse["catalog"],
    ledger: {
      close: (ending: { readonly cost: bigint }) => Promise.resolve({ charged: ending.cost, available: 0n }),
    } as unknown as RunHouse["ledger"],
    store,
    health: { live: neverResting, test: neverResting },
    clock,
    log: silentLog,
    creditUsd: "0.05",
    newsUrlOf: () => undefined,
    messageIsWaiting: () => undefined,
    lineTo: () => ({ engine }),
  };
  const house = parts as RunHouse;
  const keeper = new RunKeeper(house);
  return {
    house,
    keeper,
    model,
    files,
    async begin() {
      const row = await insert(store);
      const offers = model.offers.map((offer) => ({ ...offer, line: { engine } }));
      void keeper.drive({ row, model, offers, mayFallBack: true });
      return row;
    },
    async read(id) {
      const row = await store.read(id);
      if (row === undefined) throw new Error("no such run");
      return row;
    },
  };
}

const away = () => Promise.reject(new Error("there is no store"));
const nowhere: FileStore = { put: away, open: away, remove: away, close: () => undefined };

export function madeOf(output: EngineResult["output"]): EngineResult {
  return { output, files: [], usage: {} };
}

function insert(store: RunStore): Promise<RunRow> {
  const id = newId("call").replace("call_", "run_");
  return store.insert({
    id,
    callId: id.replace("run_", "call_"),
    accountId: "acc_1",
    keyId: "key_1",
    mode: "live",
    plan: "pro",
    model: "test/parse",
    modelId: "test/parse",
    category: "document",
    inputs: {},
    price: {},
    creditUsd: "0.05",
    webhookUrl: undefined,
    publicUrl: "https://api.example.com",
  });
}

function modelOf(hasSideEffects: boolean): RunModel {
  const provider = { id: "local" } as RunModel["offers"][number]["provider"];
  return {
    kind: "run",
    id: "test/parse",
    name: "Parse",
    description: "",
    category: "document",
    lifecycle: { state: "active", shutdown: undefined, replacement: undefined },
    aliases: [],
    doc: undefined,
    inputs: {},
    inputAliases: {},
    example: {},
    offers: [{ provider, upstreamModel: "parse", price: [], work: { engine: "test" } }],
    retail: [],
    hasSideEffects,
  };
}
