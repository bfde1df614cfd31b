-- The ledger's writes. They take the requests of many calls as one JSON text and answer with one JSON text, which costs
-- the caller two conversions per statement. Amounts travel as strings: they do not fit a JSON number.
--
-- Every writer first locks the books it will change in the order (account_id, mode), so two nodes cannot deadlock; what
-- it reads afterwards is what the last writer of those books committed. Plans are fixed to index lookups, because a plan
-- made while the tables were small would otherwise outlive their growth.

-- A call is begun (kind 'hold': it may cost `amount`, or what there is if that is `minimum` at least) or ended (kind
-- 'close': it cost `cost`); each has the columns of its kind.
create type call_write as (
  kind text, call_id text, account_id text, key_id text, mode text, model text,
  amount bigint, minimum bigint, catalog_version text, node_id text,
  cost bigint, served_by text, usage jsonb, estimated boolean, ending text, problem text, attempts integer,
  started_at double precision, ended_at double precision
);

-- How many lines a transfer has.
create function lines_in(kind text, loss bigint) returns integer
language sql immutable as $$
  select case when kind = 'settle' then 3 + (loss <> 0)::integer else 2 end
$$;

-- Appends transfers and moves their amounts. The books must be locked and the transfers numbered on from their
-- sequences; if they are not, or a customer's book would fall below zero, nothing is written. Its callers fix the plans.
create function post_transfers(moves transfers[]) returns void
language plpgsql as $$
declare
  expected bigint;
  changed bigint;
begin
  with change as materialized (
    select account_id, mode,
      sum(available)::bigint as available, sum(held)::bigint as held, sum(revenue)::bigint as revenue,
      sum(loss)::bigint as loss, sum(grants)::bigint as grants, sum(payments)::bigint as payments,
      min(sequence) as first_line, max(sequence + lines_in(kind, loss)) - 1 as last_line
    from unnest(moves)
    group by account_id, mode
  ), updated as (
    update books b set
      available = b.available + c.available, held = b.held + c.held, revenue = b.revenue + c.revenue,
      loss = b.loss + c.loss, grants = b.grants + c.grants, payments = b.payments + c.payments,
      sequence = c.last_line
    from change c
    where b.account_id = c.account_id and b.mode = c.mode
      and b.available + c.available >= 0 and b.held + c.held >= 0 and b.sequence = c.first_line - 1
    returning 1
  )
  select (select count(*) from change), (select count(*) from updated) into expected, changed;
  if changed <> expected then
    raise exception 'transfers do not fit their books';
  end if;
  insert into transfers select * from unnest(moves);
end $$;

-- Begins and ends calls: [held or charged, available, 1 when this closed it, …], flat, in the order asked; null for a
-- hold that is refused. What is closed is given back before the holds are looked at.
--
-- Whoever deletes a hold closes its call. Whoever comes later, or closes a call without a hold, charges nothing and is
-- answered from the receipt. A hold that is asked for again is told what it holds; a call that was closed holds nothing
-- any more, so a release that overtook its hold stays the last word.
create function write_calls(writes text) returns text
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
  moment timestamptz;
  asked call_write[] := array(select w from json_populate_recordset(null::call_write, writes::json) w);
  answers text[] := array_fill(null::text, array[cardinality(asked)]);
  moves transfers[] := '{}';
  opened holds[] := '{}';
  closed text[] := '{}';
  written receipts[] := '{}';
  -- What each was answered, by its place.
  amounts bigint[] := array_fill(null::bigint, array[cardinality(asked)]);
  ask record;
  account text;
  mode text;
  balance bigint;
  line bigint;
  result bigint;
  closing integer;
  deleted integer;
begin
  perform 1 from books b
  where (b.account_id, b.mode) in (select a.account_id, a.mode from unnest(asked) a)
  order by b.account_id, b.mode
  for update;
  moment := clock_timestamp();

  for ask in
    select a.*,
      lag(a.place) over same_call as place_before, lag(a.kind) over same_call as kind_before,
      b.available, b.sequence, h.amount as holding, r.cost as charged_before
    from unnest(asked) with ordinality as a (
      kind, call_id, account_id, key_id, mode, model, amount, minimum, catalog_version, node_id,
      cost, served_by, usage, estimated, ending, problem, attempts, started_at, ended_at, place)
    left join books b on b.account_id = a.account_id and b.mode = a.mode
    left join holds h on h.call_id = a.call_id and h.account_id = a.account_id and h.mode = a.mode
    left join receipts r on r.call_id = a.call_id
    window same_call as (partition by a.call_id order by a.kind, a.place)
    order by a.account_id, a.mode, a.kind, a.place
  loop
    if ask.account_id is distinct from account or ask.mode is distinct from mode then
      account := ask.account_id;
      mode := ask.mode;
      balance := coalesce(ask.available, 0);
      line := ask.sequence;
    end if;
    closing := 0;
    if ask.kind = 'hold' then
      result := coalesce(amounts[ask.place_before], ask.holding);
      if ask.charged_before is not null or ask.kind_before = 'close' then
        result := null;
      elsif result is null and ask.sequence is not null and balance >= ask.minimum then
        result := least(ask.amount, balance);
        balance := balance - result;
        opened := array_append(opened, row(ask.call_id, account, ask.key_id, mode, ask.model, result, 0,
          ask.catalog_version, ask.node_id, moment)::holds);
        moves := array_append(moves, row(account, mode, line + 1, ask.call_id || ':hold', ask.call_id, 'hold',
          -result, result, 0, 0, 0, 0, null, moment)::transfers);
        line := line + 2;
      end if;
    else
      result := coalesce(amounts[ask.place_before], ask.charged_before, 0);
      if ask.holding is not null and ask.place_before is null then
        closing := 1;
        closed := array_append(closed, ask.call_id);
        result := least(ask.cost, ask.holding);
        balance := balance + ask.holding - result;
        if ask.cost > 0 then
          moves := array_append(moves, row(account, mode, line + 1, ask.call_id || ':settle', ask.call_id, 'settle',
            ask.holding - result, -ask.holding, ask.cost, result - ask.cost, 0, 0, null, moment)::transfers);
          line := line + lines_in('settle', result - ask.cost);
        else
          moves := array_append(moves, row(account, mode, line + 1, ask.call_id || ':release', ask.call_id, 'release',
            ask.holding, -ask.holding, 0, 0, 0, 0, null, moment)::transfers);
          line := line + 2;
        end if;
      end if;
      if ask.charged_before is null and ask.place_before is null then
        written := array_append(written, row(ask.call_id, account, ask.key_id, mode, ask.model, ask.served_by,
          ask.usage, ask.estimated, result, ask.ending, ask.problem, ask.attempts,
          to_timestamp(ask.started_at / 1000), to_timestamp(ask.ended_at / 1000))::receipts);
      end if;
    end if;
    amounts[ask.place] := result;
    answers[ask.place] := coalesce('"' || result || '"', 'null') || ',"' || balance || '",' || closing;
  end loop;

  if cardinality(closed) > 0 then
    delete from holds h using unnest(closed) as c (call_id) where h.call_id = c.call_id;
    get diagnostics deleted = row_count;
    if deleted <> cardinality(closed) then
      raise exception 'a hold was closed by someone else' using errcode = 'serialization_failure';
    end if;
  end if;
  if cardinality(moves) > 0 then
    perform post_transfers(moves);
  end if;
  if cardinality(opened) > 0 then
    insert into holds select * from unnest(opened);
  end if;
  if cardinality(written) > 0 then
    insert into receipts select * from unnest(written) on conflict (call_id) do nothing;
  end if;
  return '[' || array_to_string(answers, ',') || ']';
end $$;

-- Gives credits away, once per id. Null when the account has no books; false when the id was used for another grant.
create function grant_credits(grant_id text, account text, grant_mode text, amount bigint, reason text)
returns boolean
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
  line bigint;
  earlier transfers;
begin
  select sequence into line from books where account_id = account and mode = grant_mode for update;
  if not found then
    return null;
  end if;
  select * into earlier from transfers where id = grant_id;
  if not found then
    perform post_transfers(array[row(account, grant_mode, line + 1, grant_id, null, 'grant',
      amount, 0, 0, 0, -amount, 0, reason, clock_timestamp())::transfers]);
    return true;
  end if;
  return earlier.kind = 'grant' and earlier.account_id = account and earlier.mode = grant_mode
    and earlier.available = amount;
end $$;

-- Notes what customers have received so far. A hold that is being closed this moment needs no note and is passed over.
create function note_delivered(notes text) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
begin
  with note as (
    select h.call_id, a.cost
    from json_to_recordset(notes::json) as a (call_id text, cost bigint)
    join holds h on h.call_id = a.call_id
    where h.delivered < a.cost
    for update of h skip locked
  )
  update holds h set delivered = note.cost from note where h.call_id = note.call_id;
end $$;

-- Closes up to 500 calls of dead nodes, charging what was delivered at most: [found, closed here]. Dead are all nodes
-- but `node` when `dead_nodes` is null; else those it names (a JSON array), nodes without a row (they left), and,
-- unless `dead_after_ms` is null, nodes not seen for that long. While the database was down nobody could be seen.
create function recover_calls(node text, dead_nodes text, dead_after_ms bigint) returns text
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
