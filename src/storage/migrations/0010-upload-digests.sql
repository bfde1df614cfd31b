-- What an upload brought is known only when it was read, which is after its request has claimed the key: `content_hash`
-- comes with its answer, and whoever asks again compares.
alter table idempotent_answers add column content_hash bytea;

-- As `claim_answer`, with the `content_hash` of an answer. The row is locked by then.
create function claim_answer_with_content(
  asked_scope text, asked_key text, asked_hash bytea, asking text, asking_call text, node text,
  gone_nodes text[], gone_after_ms bigint, kept_ms bigint,
  out outcome text, out call_id text, out status integer, out headers jsonb, out body bytea,
  out run_id text, out cost bigint, out content_hash bytea)
language plpgsql as $$
#variable_conflict use_column
begin
  select c.* into outcome, call_id, status, headers, body, run_id, cost
  from claim_answer(
    asked_scope, asked_key, asked_hash, asking, asking_call, node, gone_nodes, gone_after_ms, kept_ms) c;
  if outcome = 'answered' then
    select a.content_hash into content_hash from idempotent_answers a
    where a.scope = asked_scope and a.key = asked_key;
  end if;
end $$;

-- As `end_claim`, and keeps what an answered request brought; a key that was used before may have that of another.
create function end_claim_with_content(
  asked_scope text, asked_key text, asking text, new_status integer, new_headers text, new_body bytea,
  new_content_hash bytea)
returns text
language plpgsql as $$
declare
  ended text := end_claim(asked_scope, asked_key, asking, new_status, new_headers, new_body);
begin
  if ended = 'answered' then
    update idempotent_answers a set content_hash = new_content_hash
    where a.scope = asked_scope and a.key = asked_key and a.content_hash is distinct from new_content_hash;
  end if;
  return ended;
end $$;
