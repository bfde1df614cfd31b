import type { Selectable } from "kysely";
import type { Mode, PlanName } from "../../core/caller.ts";
import type { Tables } from "../../storage/tables.ts";

export type RunRow = Selectable<Tables["runs"]>;
/**
 * As whoever asks for a run sees it. What was sent with it, such as a picture of 20 MB, is for those who drive it: it is not
 * read each time that somebody looks how far the run is.
 */
export type SeenRun = Omit<RunRow, "inputs" | "memory">;
/** As a list shows it: without its output where that is too much for one. */
export type ListedRun = SeenRun & { readonly is_without_output: boolean };
export type RunState = RunRow["state"];
export type RunEnding = NonNullable<RunRow["ending"]>;

export type NewRun = {
  readonly id: string;
  readonly callId: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly mode: Mode;
  readonly plan: PlanName;
  readonly model: string;
  readonly modelId: string;
  readonly category: string;
  readonly inputs: unknown;
  /** Offer → its rates, as they were when the credits were held. */
  readonly price: unknown;
  readonly creditUsd: string;
  readonly webhookUrl: string | undefined;
  readonly publicUrl: string;
};

/** What changes with a step. Members that are left out stay as they are. */
export type RunChange = {
  readonly state: RunState;
  readonly offer?: string;
  readonly memory?: unknown;
  readonly progress?: number | undefined;
  readonly output?: unknown;
  readonly problem?: {
    readonly code: string;
    readonly message: string;
    /** The input that is at fault. */
    readonly param?: string;
    /** Seconds. */
    readonly retry_after?: number;
  };
  readonly usage?: unknown;
  readonly cost?: bigint;
  readonly estimated?: boolean;
  readonly attempts?: number;
  readonly ending?: RunEnding;
};

/** A run and the right to write it. */
export type Hold = { readonly id: string; readonly claim: bigint };

export type RunEvent = { readonly sequence: number; readonly kind: string; readonly data: unknown };

export type RunQuery = {
  readonly accountId: string;
  readonly mode: Mode;
  /** `queued`: nobody has taken the work yet; `running`: somebody has; or over with one of these ends. */
  readonly status: "queued" | "running" | readonly RunEnding[] | undefined;
  readonly limit: number;
};

/** A lease is renewed all the time; a process that dies loses its runs to others after this long. */
export const leaseMs = 15_000;

/**
 * The rows of runs. Whoever drives a run holds its claim; a write with an old claim changes nothing, so that of several
 * who would end a run (the poll, a late webhook, a cancel) one does.
 */
export type RunStore = {
  insert(run: NewRun): Promise<RunRow>;
  /** False when the run is somebody else's by now, or over. */
  change(
    hold: Hold,
    change: RunChange,
    event?: { readonly kind: string; readonly data: unknown },
  ): Promise<boolean>;
  /** The end: with it the message to the customer's server, in one commit. */
  end(row: SeenRun, cost: bigint, message: string | undefined): Promise<boolean>;
  /** Those that are still held, by their ids: the others are somebody else's by now, or over. */
  renew(holds: readonly Hold[]): Promise<ReadonlySet<string>>;
  /**
   * Runs whose driver is gone, now ours. Those that are `driven` here are nobody's to take: their leases run out while the
   * database is away, and the process that keeps them has lost nothing. For the same reason nobody's lease counts as run
   * out before the database has been up for as long as one lasts.
   */
  claimAbandoned(limit: number, driven: readonly Hold[]): Promise<readonly RunRow[]>;
  /** Takes the run from whoever drives it, if it is in one of the states. */
  takeOver(id: string, states: readonly RunState[]): Promise<RunRow | undefined>;
  /** Gives runs back at once, for another process to go on. */
  letGo(holds: readonly Hold[]): Promise<void>;
  /** Those of processes that are known to be dead. `undefined`: of all others. */
  abandon(deadNodes: readonly string[] | undefined): Promise<void>;
  read(id: string): Promise<SeenRun | undefined>;
  /** The call was closed. Without a run of that name, a crash left only its hold, and no run can begin with it any more. */
  isClosed(callId: string): Promise<boolean>;
  list(query: RunQuery): Promise<readonly ListedRun[]>;
  events(id: string, after: number): Promise<readonly RunEvent[]>;
};
