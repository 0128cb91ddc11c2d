-- The same transfer on Kauri's own schema by one client alone: one transaction, the head's lock included. What group
-- commit is measured against. Needs :accounts; the accounts' ids end in their number.
\set debit random(1, :accounts)
\set credit random(1, :accounts)
\set amount random(1, 100)
-- Time-ordered like a version 7 UUID: a random one would cost the index several times as much.
-- Made before the transaction, so that nobody waits for it.
select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' ||
  substr(md5(random()::text), 1, 19))::uuid as command \gset
begin;
select position + 1 as position from log_head for update \gset
select posted, held from balances
  where account_id in (
    ('00000000-0000-7000-8000-' || lpad(to_hex(:debit::bigint), 12, '0'))::uuid,
    ('00000000-0000-7000-8000-' || lpad(to_hex(:credit::bigint), 12, '0'))::uuid);
insert into events (position, stream_kind, stream_id, stream_version, type, schema_version, payload, command_id,
    command_index, actor, moment, book_date, rule_set)
  values (:position, 'transfer', :command::uuid, 1, 'TransferPosted', 1,
    convert_to('{"transfer_id":"' || :command::text || '","debit_account_id":"00000000-0000-7000-8000-' ||
      lpad(to_hex(:debit::bigint), 12, '0') || '","credit_account_id":"00000000-0000-7000-8000-' ||
      lpad(to_hex(:credit::bigint), 12, '0') || '","amount":"' || :amount::text ||
      '","currency":"NZD","available_before":"100000000","checks":[]}', 'UTF8'),
    :command::uuid, 0, 'bench-client', clock_timestamp(), current_date, 1);
insert into commands (command_id, content_hash, first_position, event_count)
  values (:command::uuid, decode(md5(:command::text), 'hex'), :position, 1);
update balances set posted = posted - :amount, position = :position
  where account_id = ('00000000-0000-7000-8000-' || lpad(to_hex(:debit::bigint), 12, '0'))::uuid;
update balances set posted = posted + :amount, position = :position
  where account_id = ('00000000-0000-7000-8000-' || lpad(to_hex(:credit::bigint), 12, '0'))::uuid;
update log_head set position = :position, batch_id = gen_random_uuid(), last_moment = clock_timestamp();
commit;
