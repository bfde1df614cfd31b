import { createHash, hash, timingSafeEqual } from "node:crypto";
import type { Caller, Mode, PlanName } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import { Problem, problems } from "../core/problems.ts";
import { DatabaseUnavailable } from "../storage/database.ts";
import type { Database, Row, Statement } from "../storage/database.ts";
import { limitsOf } from "./plans.ts";

/** How long a key's caller is believed without asking the database again: what revoking on another node may take. */
const freshMs = 800;
const mostRemembered = 50_000;
const longestSecret = 512;

const lookUp: Statement = {
  name: "callers-by-key",
  text: `select k.hash, k.id, k.account_id, k.mode, k.models, k.requests_per_minute, k.concurrent_requests, a.plan,
    a.requests_per_minute as account_rpm, a.concurrent_requests as account_concurrent
    from keys k join accounts a on a.id = k.account_id where k.hash = any($1::bytea[]) and k.revoked_at is null`,
};

type Remembered = { readonly caller: Caller; readonly until: number };

export type Doorkeeper = {
  /**
   * The caller behind an `Authorization` value. Throws `missing_authorization` or `invalid_api_key` only for a definite
   * answer; a database that is away is `service_unavailable`.
   */
  callerOf(authorization: string | undefined): Caller | Promise<Caller>;
  isOperator(authorization: string | undefined): boolean;
  /** Drops everything remembered, so that a change of keys, plans or limits holds at once on this node. */
  forget(): void;
};

export function doorkeeper(house: {
  readonly database: Database;
  readonly clock: Clock;
  readonly operatorToken: string;
}): Doorkeeper {
  const { database, clock } = house;
  const remembered = new Map<string, Remembered>();
  const operatorHash = sha256(house.operatorToken);
  const find = groupedLookUp(database);

  const ask = async (authorization: string): Promise<Caller> => {
    const secret = bearerOf(authorization);
    const row = await find(hash("sha256", secret, "hex"));
    if (row === undefined) throw new Problem("invalid_api_key");
    const caller = callerFrom(row);
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(authorization, { caller, until: clock.monotonic() + freshMs });
    return caller;
  };

  return {
    callerOf(authorization) {
      if (authorization === undefined || authorization === "") throw new Problem("missing_authorization");
      const known = remembered.get(authorization);
      return known !== undefined && known.until > clock.monotonic() ? known.caller : ask(authorization);
    },
    isOperator(authorization) {
      if (authorization === undefined) return false;
      const secret = bearerIn(authorization);
      return secret !== undefined && timingSafeEqual(sha256(secret), operatorHash);
    },
    forget: () => remembered.clear(),
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

/** RFC 6750: the scheme in any case, one space or more, one token. */
function bearerIn(authorization: string): string | undefined {
  if (authorization.length > longestSecret) return undefined;
  return /^bearer +([\x21-\x2b\x2d-\x7e]+) *$/i.exec(authorization)?.[1];
}

function bearerOf(authorization: string): string {
  const secret = bearerIn(authorization);
  if (secret !== undefined) return secret;
  // It may be a key that is good and worn the wrong way.
  const isBearer = /^bearer(?: |$)/i.test(authorization);
  throw new Problem("invalid_api_key", isBearer ? {} : { message: problems.missing_authorization.message });
}

/** Look-ups that are asked for together go to the database together. */
function groupedLookUp(database: Database): (hashHex: string) => Promise<Row | undefined> {
  let waiting: Map<string, ((result: Promise<Row | undefined>) => void)[]> | undefined;
  const send = async (group: NonNullable<typeof waiting>): Promise<void> => {
    let found: Promise<ReadonlyMap<string, Row>>;
    try {
      const rows = await database.run(lookUp, [[...group.keys()].map((hex) => Buffer.from(hex, "hex"))]);
      found = Promise.resolve(
        new Map(rows.map((row) => [Buffer.isBuffer(row["hash"]) ? row["hash"].toString("hex") : "", row])),
      );
    } catch (error) {
      found = Promise.reject(
        error instanceof DatabaseUnavailable
          ? new Problem("service_unavailable", { retryAfterSeconds: 1, cause: error })
          : error,
      );
    }
    for (const [hex, resolvers] of group) {
      for (const resolve of resolvers) resolve(found.then((rows) => rows.get(hex)));
    }
    found.catch(() => undefined);
  };
  return (hashHex) =>
    new Promise((resolve) => {
      if (waiting === undefined) {
        const group = new Map<string, ((result: Promise<Row | undefined>) => void)[]>();
        waiting = group;
        setImmediate(() => {
          waiting = undefined;
          void send(group);
        });
      }
      const resolvers = waiting.get(hashHex);
      if (resolvers === undefined) waiting.set(hashHex, [resolve]);
      else resolvers.push(resolve);
    });
}

type CallerRow = {
  readonly id: string;
  readonly account_id: string;
  readonly mode: Mode;
  readonly models: readonly string[] | null;
  readonly plan: PlanName;
  readonly requests_per_minute: number | null;
  readonly concurrent_requests: number | null;
  readonly account_rpm: number | null;
  readonly account_concurrent: number | null;
};

function callerFrom(row: Row): Caller {
  // The statement's own columns; a row of any other form is a bug that the tests would show.
  const found = row as CallerRow;
  const account = { requests_per_minute: found.account_rpm, concurrent_requests: found.account_concurrent };
  return {
    accountId: found.account_id,
    keyId: found.id,
    mode: found.mode,
    plan: found.plan,
    limits: limitsOf(found.plan, found, account),
    models: found.models ?? undefined,
  };
}
