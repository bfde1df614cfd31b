import type { ColumnType, Generated } from "kysely";

/** The tables as Kysely sees them; `migrations/` is where they are made. All int8 columns are bigint in JavaScript. */
export type Tables = {
  accounts: {
    id: string;
    name: string;
    plan: "free" | "starter" | "pro";
    requests_per_minute: number | null;
    concurrent_requests: number | null;
    created_at: Generated<Date>;
  };
  keys: {
    id: string;
    account_id: string;
    hash: Buffer;
    prefix: string;
    name: string | null;
    mode: "live" | "test";
    requests_per_minute: number | null;
    concurrent_requests: number | null;
    models: ColumnType<readonly string[] | null, string | null, string | null>;
    created_at: Generated<Date>;
    revoked_at: Date | null;
  };
  idempotent_answers: {
    scope: string;
    key: string;
    body_hash: Buffer;
    status: number | null;
    body: string | null;
    created_at: Generated<Date>;
  };
  books: {
    account_id: string;
    mode: "live" | "test";
    available: bigint;
    held: bigint;
    revenue: bigint;
    loss: bigint;
    grants: bigint;
    payments: bigint;
    sequence: bigint;
  };
  transfers: {
    account_id: string;
    mode: "live" | "test";
    sequence: bigint;
    id: string;
    call_id: string | null;
    kind: "grant" | "hold" | "settle" | "release";
    available: bigint;
    held: bigint;
    revenue: bigint;
    loss: bigint;
    grants: bigint;
    payments: bigint;
    reason: string | null;
    at: Date;
  };
  holds: {
    call_id: string;
    account_id: string;
    key_id: string;
    mode: "live" | "test";
    model: string;
    amount: bigint;
    delivered: bigint;
    catalog_version: string;
    node_id: string;
    opened_at: Date;
  };
  receipts: {
    call_id: string;
    account_id: string;
    key_id: string;
    mode: "live" | "test";
    model: string;
    served_by: string;
    usage: ColumnType<Record<string, number>, string, string>;
    estimated: boolean;
    cost: bigint;
    ending: "done" | "aborted" | "failed" | "empty" | "recovered";
    problem: string | null;
    attempts: number;
    started_at: Date;
    ended_at: Date;
  };
  nodes: { id: string; seen_at: Date };
};
