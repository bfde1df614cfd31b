-- Holds and closes in one statement, so that the calls of a busy account share one lock of its books and one commit:
-- [answers of hold_calls, answers of close_calls]. Either list may be null. Closes go first: what they give back is
-- there for the holds.
create function write_calls(requests text, endings text) returns text
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
declare
  closed text := '[]';
  held text := '[]';
begin
  -- One list's books after the other's would not be in the order that keeps nodes from deadlocks.
  if requests is not null and endings is not null then
    perform 1 from books b
    where (b.account_id, b.mode) in (
      select a.account_id, a.mode from json_to_recordset(requests::json) as a (account_id text, mode text)
      union
      select a.account_id, a.mode from json_to_recordset(endings::json) as a (account_id text, mode text))
    order by b.account_id, b.mode
    for update;
  end if;
  if endings is not null then
    closed := close_calls(endings);
  end if;
  if requests is not null then
    held := hold_calls(requests);
  end if;
  return '[' || held || ',' || closed || ']';
end $$;
