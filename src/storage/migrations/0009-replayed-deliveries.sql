-- How often the customer had a message sent again; `tries` begin anew each time.
alter table deliveries add column replays integer not null default 0;
