create table holds (
  hold_id uuid primary key,
  account_id uuid not null,
  -- Minor units.
  amount bigint not null,
  captured bigint not null,
  currency text not null,
  expires_at timestamptz,
  status text not null,
  -- The book date on which it used up limits.
  placed_on date not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 80);

create index holds_active on holds (account_id) where status = 'active';
create index holds_expiry on holds (expires_at) where status = 'active' and expires_at is not null;
