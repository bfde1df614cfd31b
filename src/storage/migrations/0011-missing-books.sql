-- An account and its books used to be made one after the other. A crash in between left accounts that could neither be
-- read nor be given credits; here they get what they lack.
insert into books (account_id, mode)
select a.id, m.mode from accounts a cross join (values ('live'), ('test')) m (mode)
on conflict do nothing;
