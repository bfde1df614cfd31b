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
-- The first try since the message was written or replayed: when to give up is counted from here.
alter table deliveries add column first_tried_at timestamptz;
-- What a customer looks for is what did not arrive.
create index deliveries_undelivered on deliveries (account_id, mode, created_at desc, id) where state <> 'delivered';
