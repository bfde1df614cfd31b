-- Messages to customers' own servers: written in the transaction that ends a run, delivered until they are taken.
create table deliveries (
  -- The `webhook-id`, the same in every try.
  id text collate "C" primary key,
  account_id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  run_id text collate "C" not null,
  url text not null,
  body text not null,
  -- `given_up` after the last try, `refused` when the receiver said 410.
  state text not null check (state in ('waiting', 'delivered', 'given_up', 'refused')),
  tries integer not null default 0,
  next_at timestamptz not null,
  lease_until timestamptz,
  last_status integer,
  last_fault text,
  created_at timestamptz not null default now(),
  delivered_at timestamptz
);
create index deliveries_by_account on deliveries (account_id, mode, created_at desc, id);
create index deliveries_due on deliveries (next_at) where state = 'waiting';
