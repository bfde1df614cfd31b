-- Amounts are micro-credits. The six books of an account and mode sum to zero, in every row that was ever committed.
create table books (
  account_id text collate "C" not null references accounts (id),
  mode text not null check (mode in ('live', 'test')),
  available bigint not null default 0 check (available >= 0),
  held bigint not null default 0 check (held >= 0),
  revenue bigint not null default 0,
  loss bigint not null default 0,
  grants bigint not null default 0,
  payments bigint not null default 0,
  -- The sequence of the last transfer line.
  sequence bigint not null default 0,
  primary key (account_id, mode),
  check (available + held + revenue + loss + grants + payments = 0)
) with (fillfactor = 50);

-- Immutable. A row is one transfer; its lines (hold 2, release 2, grant 2, settle 3, or 4 with a
-- loss) are numbered from `sequence` on.
create table transfers (
  account_id text collate "C" not null,
  mode text not null,
  sequence bigint not null,
  id text collate "C" primary key,
  call_id text collate "C",
  kind text not null check (kind in ('grant', 'hold', 'settle', 'release')),
  available bigint not null default 0,
  held bigint not null default 0,
  revenue bigint not null default 0,
  loss bigint not null default 0,
  grants bigint not null default 0,
  payments bigint not null default 0,
  reason text,
  at timestamptz not null,
  unique (account_id, mode, sequence),
  check (available + held + revenue + loss + grants + payments = 0)
);

create table nodes (
  id text collate "C" primary key,
  seen_at timestamptz not null
);

-- Open holds only: closing a call deletes its row, and whoever deletes it is the one that closed the call.
create table holds (
  call_id text collate "C" primary key,
  account_id text collate "C" not null,
  key_id text collate "C" not null,
  mode text not null,
  model text not null,
  amount bigint not null check (amount >= 0),
  delivered bigint not null default 0 check (delivered >= 0),
  catalog_version text not null,
  node_id text collate "C" not null,
  opened_at timestamptz not null
) with (fillfactor = 70);

create table receipts (
  call_id text collate "C" primary key,
  account_id text collate "C" not null,
  key_id text collate "C" not null,
  mode text not null,
  model text not null,
  served_by text not null,
  usage jsonb not null,
  estimated boolean not null,
  cost bigint not null check (cost >= 0),
  ending text not null check (ending in ('done', 'aborted', 'failed', 'empty', 'recovered')),
  problem text,
  attempts integer not null,
  started_at timestamptz not null,
  ended_at timestamptz not null
);
create index receipts_by_account on receipts (account_id, mode, ended_at);
