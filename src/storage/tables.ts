import type { ColumnType, Generated, GeneratedAlways } from "kysely";

/** Written as JSON text, read as what that text says. */
type Json = ColumnType<unknown, string, string>;

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
    call_id: string;
    request_id: string | null;
    node_id: string | null;
    status: number | null;
    headers: Json | null;
    body: Buffer | null;
    content_hash: Buffer | null;
    created_at: Generated<Date>;
  };
  books: {
    account_id: string;
    mode: "live" | "test";
    available: Generated<bigint>;
    held: Generated<bigint>;
    revenue: Generated<bigint>;
    loss: Generated<bigint>;
    grants: Generated<bigint>;
    payments: Generated<bigint>;
    sequence: Generated<bigint>;
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
  runs: {
    id: string;
    call_id: string;
    account_id: string;
    key_id: string;
    mode: "live" | "test";
    plan: "free" | "starter" | "pro";
    model: string;
    model_id: string;
    category: string;
    offer: string | null;
    state: "submitting" | "waiting" | "fetching" | "settling" | "over";
    ending: "done" | "empty" | "failed" | "canceled" | null;
    inputs: Json;
    memory: Json | null;
    progress: number | null;
    output: Json | null;
    problem: Json | null;
    usage: Json | null;
    cost: bigint | null;
    estimated: Generated<boolean>;
    price: Json;
    credit_usd: string;
    attempts: Generated<number>;
    webhook_url: string | null;
    public_url: string;
    node_id: string | null;
    claim: Generated<bigint>;
    lease_until: Date;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
    ended_at: Date | null;
  };
  run_events: {
    run_id: string;
    sequence: number;
    kind: string;
    data: Json;
    at: Generated<Date>;
  };
  files: {
    id: string;
    account_id: string;
    mode: "live" | "test";
    run_id: string | null;
    name: string;
    content_type: string;
    size_bytes: bigint;
    created_at: Generated<Date>;
    expires_at: Date;
  };
  deliveries: {
    id: string;
    account_id: string;
    mode: "live" | "test";
    run_id: string;
    url: string;
    body: string;
    state: "waiting" | "delivered" | "given_up" | "refused";
    tries: Generated<number>;
    replays: Generated<number>;
    next_at: Date;
    lease_until: Date | null;
    last_status: number | null;
    last_fault: string | null;
    created_at: Generated<Date>;
    delivered_at: Date | null;
    first_tried_at: Date | null;
    receiver: GeneratedAlways<string>;
  };
  replaced_webhook_secrets: {
    account_id: string;
    mode: "live" | "test";
    generation: number;
    replaced_at: Date;
  };
};
