-- Accounts for kauri-schema-transfer.sql, as the read models have them. Needs :accounts; run by the schema's owner.
insert into accounts (account_id, kind, currency, status, overdraft, allow_negative, limits, scores, version, position)
  select ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 'internal', 'NZD', 'open', 0, false,
    '{}', '{}', 1, 0
  from generate_series(1::bigint, :accounts) as number;
insert into balances (account_id, posted, held, usage, position)
  select ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 100000000, 0, '', 0
  from generate_series(1::bigint, :accounts) as number;
-- The script appends events and seals none.
alter table log_head disable trigger log_head_is_sealed;
select prepare_event_partitions(20000000);
vacuum analyze accounts, balances;
