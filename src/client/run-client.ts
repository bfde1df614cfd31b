import { segment } from "./link.ts";
import type { Link } from "./link.ts";

export const jobStatuses = ["queued", "running", "completed", "failed", "canceled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** The result of a run; its other members depend on the model. */
export type RunAnswer = {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly usage?: Readonly<Record<string, number>>;
  readonly _call_cost_usd?: number;
  readonly _remaining_credits?: number;
  readonly _balance_warning?: boolean;
} & Readonly<Record<string, unknown>>;

export type JobAnswer = {
  readonly id: string;
  readonly job_id: string;
  readonly model: string;
  readonly status: JobStatus;
  /** 0 to 1 where the provider tells. */
  readonly progress?: number;
  readonly created_at: string;
  readonly completed_at: string | null;
  readonly result?: RunAnswer;
  readonly error?: string;
  readonly error_code?: string;
  /** The input that is at fault. */
  readonly error_param?: string;
};

export type JobsAnswer = { readonly jobs: readonly JobAnswer[]; readonly count: number };

export type RunWish = {
  readonly model: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly webhook?: string | undefined;
};

/** What became of a letter that says something else to each of its receivers. */
export type LettersAnswer = {
  readonly success: boolean;
  readonly results: readonly {
    readonly email: string;
    readonly status: string;
    readonly error?: string;
  }[];
};

export type RunClient = {
  /** Begins the run and answers at once, with nothing but its id: ask for its job. */
  begin(wish: RunWish): Promise<Pick<JobAnswer, "job_id">>;
  /** Such letters are no jobs: the answer comes when all are sent. */
  letters(wish: RunWish): Promise<LettersAnswer>;
  read(id: string): Promise<JobAnswer>;
  list(wish?: {
    readonly status?: JobStatus | undefined;
    readonly limit?: number | undefined;
  }): Promise<JobsAnswer>;
  cancel(id: string): Promise<JobAnswer>;
  /** A file of a result, from the address in it. */
  download(url: string): Promise<Uint8Array>;
};

export function runClient(link: Link): RunClient {
  return {
    download: (url) => link.download(url),
    begin({ model, inputs, webhook }) {
      const body = { model, inputs, async: true, webhook };
      return link.ask<JobAnswer>({ method: "POST", path: "/v1/run", body }, ["job_id"]);
    },
    letters: (body) =>
      link.ask<LettersAnswer>({ method: "POST", path: "/v1/run", body }, ["success", "results"]),
    read: (id) =>
      link.ask<JobAnswer>({ method: "GET", path: `/v1/job/${segment(id)}` }, ["job_id", "status"]),
    list: ({ status, limit } = {}) =>
      link.ask<JobsAnswer>({ method: "GET", path: "/v1/job", query: { status, limit } }, ["jobs"]),
    cancel: (id) =>
      link.ask<JobAnswer>({ method: "POST", path: `/v1/run/${segment(id)}/cancel`, body: {} }, ["status"]),
  };
}
