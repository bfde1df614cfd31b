-- What an upload brought is known only when it was read, which is after its request has claimed the key: `content_hash`
-- comes with its answer, and whoever asks again compares.
alter table idempotent_answers add column content_hash bytea;

-- As in 0008, and hands out `content_hash` with an answer.
drop function claim_answer;
create function claim_answer(
  asked_scope text, asked_key text, asked_hash bytea, asking text, asking_call text, node text,
  gone_nodes text[], gone_after_ms bigint, kept_ms bigint,
  out outcome text, out call_id text, out status integer, out headers jsonb, out body bytea, out content_hash bytea,
  out run_id text, out cost bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  moment timestamptz := clock_timestamp();
  earlier idempotent_answers;
  run_state text;
  is_tended boolean;
begin
  loop
    insert into idempotent_answers (scope, key, body_hash, call_id, request_id, node_id, created_at)
    values (asked_scope, asked_key, asked_hash, asking_call, asking, node, moment)
    on conflict do nothing;
    if found then
      outcome := 'claimed';
      return;
    end if;
    select * into earlier from idempotent_answers a where a.scope = asked_scope and a.key = asked_key for update;
    -- Freed in between: there is nothing to lock.
    exit when found;
  end loop;

  if earlier.created_at >= moment - kept_ms * interval '1 millisecond' then
    call_id := earlier.call_id;
    is_tended := earlier.request_id is not null and (earlier.node_id = node
      or gone_nodes is not null and earlier.node_id <> all (gone_nodes) and exists (
        select from nodes n where n.id = earlier.node_id
          and greatest(n.seen_at, pg_postmaster_start_time()) >= moment - gone_after_ms * interval '1 millisecond'));
    select r.id, r.state into run_id, run_state from runs r where r.call_id = earlier.call_id;
    select r.cost into cost from receipts r where r.call_id = earlier.call_id;
    outcome := case
      when earlier.status is not null then 'answered'
      when is_tended or run_state <> 'over' or exists (select from holds h where h.call_id = earlier.call_id)
        then 'running'
      when run_id is not null then 'begun'
      when cost > 0 then 'charged'
    end;
    if outcome is not null and earlier.body_hash <> asked_hash then
      outcome := 'reused';
    elsif outcome = 'answered' then
      status := earlier.status;
      headers := earlier.headers;
      body := earlier.body;
      content_hash := earlier.content_hash;
    elsif outcome = 'begun' then
      update idempotent_answers a set request_id = asking, node_id = node
      where a.scope = asked_scope and a.key = asked_key;
    end if;
  end if;

  if outcome is null then
    outcome := 'claimed';
    update idempotent_answers a
    set body_hash = asked_hash, call_id = asking_call, request_id = asking, node_id = node, status = null,
      headers = null, body = null, content_hash = null, created_at = moment
    where a.scope = asked_scope and a.key = asked_key;
  end if;
end $$;

-- As in 0008, and keeps `new_content_hash` with an answer. A server of the version before says nothing about it.
drop function end_claim;
create function end_claim(
  asked_scope text, asked_key text, asking text, new_status integer, new_headers text, new_body bytea,
  new_content_hash bytea default null)
returns text
language plpgsql as $$
declare
  own_call text;
  is_run boolean;
begin
  select a.call_id into own_call from idempotent_answers a
  where a.scope = asked_scope and a.key = asked_key and a.request_id = asking
  for update;
  if not found then
    return 'ended';
  end if;
  is_run := exists (select from runs r where r.call_id = own_call);
  if new_status is not null and (new_body is not null or not is_run)
    and (new_status >= 300 or not exists (
      select from receipts r where r.call_id = own_call and r.ending in ('failed', 'aborted', 'recovered')))
  then
    update idempotent_answers a
    set status = new_status, headers = new_headers::jsonb, body = new_body, content_hash = new_content_hash,
      request_id = null, node_id = null
    where a.scope = asked_scope and a.key = asked_key;
    return 'answered';
  end if;
  if is_run and new_status is not null
    or exists (select from holds h where h.call_id = own_call)
    or exists (select from runs r where r.call_id = own_call and r.state <> 'over')
    or exists (
      select from receipts r where r.call_id = own_call and (r.cost > 0 or r.problem = 'outcome_unknown'))
  then
    update idempotent_answers a set request_id = null, node_id = null
    where a.scope = asked_scope and a.key = asked_key;
    return 'left';
  end if;
  delete from idempotent_answers a where a.scope = asked_scope and a.key = asked_key;
  return 'freed';
end $$;
