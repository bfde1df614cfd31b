-- Signing secrets of webhooks that were replaced, by number only: a secret is derived and stored nowhere. The current
-- one has the number after the last of these, 1 where there is none.
create table replaced_webhook_secrets (
  account_id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  generation integer not null check (generation > 0),
  -- It goes on signing beside the newer ones for a while.
  replaced_at timestamptz not null,
  primary key (account_id, mode, generation)
);

alter table deliveries
  -- The first try since the message was written or replayed: when to give up is counted from here.
  add column first_tried_at timestamptz,
  -- The host of the address without its port. An address in an unusual form counts with its account, so that nobody
  -- gets into the way of others with it.
  add column receiver text collate "C" not null generated always as (
    coalesce(substring(lower(url) from '^https?://(\[[^]]*\]|[^/?#:\\]+)'), account_id)
  ) stored;

-- Receivers are looked at one by one, so that the long queue of one costs the others nothing.
create index deliveries_by_receiver on deliveries (receiver, next_at) where state = 'waiting';
drop index deliveries_due;

-- What a customer looks for is what did not arrive.
create index deliveries_undelivered on deliveries (account_id, mode, created_at desc, id) where state <> 'delivered';
