create table accounts (
  account_id uuid primary key,
  kind text not null,
  customer_id uuid,
  currency text not null,
  -- Sealed under its customer's key, or the book's.
  name bytea,
  number text,
  classification text,
  status text not null,
  -- Minor units.
  overdraft bigint not null,
  allow_negative boolean not null,
  -- By kind, in minor units: {"daily": "100000"}.
  limits jsonb not null,
  scores jsonb not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 90);

create unique index accounts_number on accounts (number) where number is not null;
