import type { Credits } from "../../core/credits.ts";
import type { Log } from "../../core/log.ts";
import { Problem } from "../../core/problems.ts";
import { cannotWriteNow, runAgain } from "../../ledger/ledger-statements.ts";
import type { DeadNodes } from "../../ledger/node-presence.ts";
import type { Database, Row, Statement } from "../../storage/database.ts";
import type { Claim, Claimed, ClaimWish, KeptAnswer, KeptAnswers } from "./kept-answers.ts";
import { OpenEnds } from "./open-ends.ts";

export type KeptAnswersOptions = {
  readonly database: Database;
  readonly nodeId: string;
  readonly log: Log;
  /** Nodes known to be dead already; default: all others on the embedded home, none on PostgreSQL. */
  readonly deadNodes?: DeadNodes;
  /** How long a node may be silent before its claims are anybody's; default 30 s. */
  readonly goneAfterMs?: number;
};

const keptMs = 24 * 3_600_000;
const sweepEveryMs = 10 * 60_000;
const mostSwept = 500;
const retryAfterSeconds = 1;

const claimAnswer: Statement = {
  name: "answers_claim",
  text: "select * from claim_answer_with_content($1, $2, $3, $4, $5, $6, $7, $8, $9)",
};
const endClaim: Statement = {
  name: "answers_end",
  text: "select end_claim_with_content($1, $2, $3, $4, $5, $6, $7)",
};
const forgetOld: Statement = {
  name: "answers_forget",
  text: `delete from idempotent_answers where (scope, key) in (
    select scope, key from idempotent_answers
    where created_at < clock_timestamp() - $1::bigint * interval '1 millisecond' limit ${mostSwept})
    returning 1 as forgotten`,
};

export function keptAnswersOf(options: KeptAnswersOptions): KeptAnswers {
  return new SqlKeptAnswers(options);
}

class SqlKeptAnswers implements KeptAnswers {
  readonly #database: Database;
  readonly #log: Log;
  /** What the claiming statement needs to know about processes. */
  readonly #nodes: readonly [nodeId: string, goneNodes: readonly string[] | null, goneAfterMs: number];
  readonly #openEnds: OpenEnds;
  readonly #timer: NodeJS.Timeout;

  constructor({ database, nodeId, log, deadNodes, goneAfterMs = 30_000 }: KeptAnswersOptions) {
    const dead = deadNodes ?? (database.home === "embedded" ? "all-others" : []);
    this.#database = database;
    this.#log = log;
    this.#nodes = [nodeId, dead === "all-others" ? null : dead, goneAfterMs];
    this.#openEnds = new OpenEnds((claim, answer) => this.#write(claim, answer), log);
    this.#timer = setInterval(() => void this.#sweepQuietly(), sweepEveryMs).unref();
  }

  async claim({ bodyHash, callId, ...claim }: ClaimWish): Promise<Claimed> {
    const { scope, key, requestId } = claim;
    const parameters = [scope, key, bodyHash, requestId, callId, ...this.#nodes, keptMs];
    try {
      const [row] = await runAgain(this.#database, claimAnswer, parameters);
      return claimedIn(row, claim);
    } catch (error) {
      if (!cannotWriteNow(error)) throw error;
      // It may have been claimed all the same: then this request, which does nothing, has to let it go.
      this.#openEnds.add(claim, undefined);
      throw new Problem("service_unavailable", { retryAfterSeconds, cause: error });
    }
  }

  end(claim: Claim, answer: KeptAnswer | undefined): Promise<void> {
    return this.#openEnds.write(claim, answer);
  }

  async sweep(): Promise<number> {
    return (await runAgain(this.#database, forgetOld, [keptMs])).length;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#openEnds.stop();
  }

  async #write({ scope, key, requestId }: Claim, answer: KeptAnswer | undefined): Promise<void> {
    const told =
      answer === undefined
        ? [null, null, null, null]
        : [answer.status, JSON.stringify(answer.headers), answer.body ?? null, answer.contentHash ?? null];
    await runAgain(this.#database, endClaim, [scope, key, requestId, ...told]);
  }

  async #sweepQuietly(): Promise<void> {
    try {
      while ((await this.sweep()) === mostSwept);
    } catch (error) {
      this.#log.warn({ err: error }, "old answers could not be forgotten");
    }
  }
}

function claimedIn(row: Row | undefined, claim: Claim): Claimed {
  // The statement's own columns; a row of any other form is a bug that the tests would show.
  const { outcome, call_id, status, headers, body, content_hash, run_id, cost } = row as ClaimRow;
  switch (outcome) {
    case "claimed":
      return { state: "claimed", claim };
    case "begun":
      return { state: "begun", claim, runId: run_id };
    case "answered": {
      const content = content_hash === null ? {} : { contentHash: content_hash };
      const answer = { status, headers: headers ?? {}, body: body ?? undefined, ...content };
      return { state: "answered", callId: call_id, answer };
    }
    case "charged":
      return { state: "charged", callId: call_id, cost };
    case "running":
    case "reused":
      return { state: outcome };
  }
}

type ClaimRow = {
  readonly outcome: Claimed["state"];
  readonly call_id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: Buffer | null;
  readonly content_hash: Buffer | null;
  readonly run_id: string;
  readonly cost: Credits;
};
