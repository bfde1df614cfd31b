-- Under the same id another reason is another grant as well: it was taken for the same, and the new reason was lost.
create or replace function grant_credits(
  grant_id text, account text, grant_mode text, amount bigint, reason text
)
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
    and earlier.available = amount and earlier.reason is not distinct from reason;
end $$;
