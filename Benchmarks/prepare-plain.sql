-- What plain-transfer.sql works on. Needs :accounts.
create table plain_accounts (account bigint primary key, balance bigint not null) with (fillfactor = 50);
create table plain_entries (
  entry bigint generated always as identity primary key,
  debit bigint not null,
  credit bigint not null,
  amount bigint not null,
  at timestamptz not null default clock_timestamp()
);
insert into plain_accounts select number, 100000000 from generate_series(1::bigint, :accounts) as number;
vacuum analyze plain_accounts;
