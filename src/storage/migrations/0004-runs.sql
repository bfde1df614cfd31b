-- A run is one call that is not a chat. Its row is written before anything is asked of a provider and says at any moment
-- what a process that takes over has to do:
--   submitting  the submission may have reached the provider: it is never sent again, the run has failed
--   waiting     the provider works on it: ask again
--   fetching    the provider is done: fetch what belongs to the result, store its files
--   settling    the result, the usage and the cost stand: close the call
--   over        closed; `ending` says how
create table runs (
  id text collate "C" primary key,
  call_id text collate "C" not null unique,
  account_id text collate "C" not null,
  key_id text collate "C" not null,
  mode text not null check (mode in ('live', 'test')),
  -- How large its files may be, and how long they are kept.
  plan text not null,
  -- As asked, as found, and `provider/upstream model` of the offer that has it.
  model text not null,
  model_id text not null,
  category text not null,
  offer text,
  state text not null check (state in ('submitting', 'waiting', 'fetching', 'settling', 'over')),
  ending text check (ending in ('done', 'empty', 'failed', 'canceled')),
  -- Checked inputs, and what the answers said so far.
  inputs jsonb not null,
  memory jsonb,
  progress double precision,
  output jsonb,
  -- {"code", "message"}, as the customer reads it.
  problem jsonb,
  usage jsonb,
  cost bigint check (cost >= 0),
  estimated boolean not null default false,
  -- The rates in force when the credits were held apply to the end.
  price jsonb not null,
  credit_usd text not null,
  attempts integer not null default 0,
  webhook_url text,
  -- Where the customer reached us, for the addresses in the answer.
  public_url text not null,
  -- Whoever has the lease drives the run. Each taking over raises `claim`, and every write names the claim it holds.
  node_id text collate "C",
  claim bigint not null default 1,
  lease_until timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  -- Known from settling on.
  check (ending is not null or state not in ('settling', 'over'))
);
create index runs_by_account on runs (account_id, mode, created_at desc, id);
create index runs_open on runs (lease_until) where state <> 'over';

-- What happened to a run, numbered per run, for those who follow it.
create table run_events (
  run_id text collate "C" not null references runs (id) on delete cascade,
  sequence integer not null,
  kind text not null,
  data jsonb not null,
  at timestamptz not null default now(),
  primary key (run_id, sequence)
);

-- A hold of a run outlives the process that made it: the run's own row says who goes on.
create or replace function recover_calls(node text, dead_nodes text, dead_after_ms bigint) returns text
language plpgsql as $$
declare
  endings json;
  answer json;
  closed bigint;
begin
  select json_agg(json_build_object(
      'kind', 'close', 'call_id', h.call_id, 'account_id', h.account_id, 'key_id', h.key_id, 'mode', h.mode,
      'model', h.model, 'cost', least(h.delivered, h.amount), 'served_by', '', 'usage', '{}'::json,
      'estimated', true, 'ending', 'recovered', 'problem', null, 'attempts', 0,
      'started_at', floor(extract(epoch from h.opened_at) * 1000),
      'ended_at', floor(extract(epoch from clock_timestamp()) * 1000)))
  into endings
  from (
    select h.* from holds h left join nodes n on n.id = h.node_id
    where h.node_id <> node and (
      dead_nodes is null or n.id is null
      or h.node_id in (select json_array_elements_text(dead_nodes::json))
      or greatest(n.seen_at, pg_postmaster_start_time())
        < clock_timestamp() - dead_after_ms * interval '1 millisecond')
      and not exists (select from runs r where r.call_id = h.call_id and r.state <> 'over')
    order by h.call_id
    limit 500
  ) h;
  if endings is null then
    return '[0,0]';
  end if;
  answer := write_calls(endings::text);
  select sum((item #>> '{}')::bigint) into closed
  from json_array_elements(answer) with ordinality as a (item, place)
  where place % 3 = 0;
  return '[' || json_array_length(endings) || ',' || closed || ']';
end $$;
