-- Ids are compared as bytes (collate "C"): by the rules of a language every step in an index would cost several times more.
create table accounts (
  id text collate "C" primary key,
  name text not null,
  plan text not null check (plan in ('free', 'starter', 'pro')),
  requests_per_minute integer check (requests_per_minute >= 0),
  concurrent_requests integer check (concurrent_requests >= 0),
  created_at timestamptz not null default now()
);

create table keys (
  id text collate "C" primary key,
  account_id text collate "C" not null references accounts (id),
  hash bytea not null unique,
  prefix text not null,
  name text,
  mode text not null check (mode in ('live', 'test')),
  requests_per_minute integer check (requests_per_minute >= 0),
  concurrent_requests integer check (concurrent_requests >= 0),
  models jsonb,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index keys_by_account on keys (account_id, created_at);

-- A write that was asked for with an Idempotency-Key; status is null while it runs.
create table idempotent_answers (
  scope text not null,
  key text not null,
  body_hash bytea not null,
  status integer,
  body text,
  created_at timestamptz not null default now(),
  primary key (scope, key)
);
