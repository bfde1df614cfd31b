-- Receivers are looked at account by account: of those who share a host, such as that of an automation service, nobody's
-- message waits behind the queue of another.
create index deliveries_by_receiver_and_account on deliveries (receiver, account_id, next_at) where state = 'waiting';
drop index deliveries_by_receiver;
