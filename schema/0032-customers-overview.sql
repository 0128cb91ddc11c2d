-- Every customer at a glance.
create table customers_overview (
  customer_id uuid primary key,
  status text not null,
  country text,
  sanctions_match boolean not null,
  registered_at timestamptz not null
) with (fillfactor = 80);

-- Their accounts, of which the overview has the totals by currency.
create table customers_overview_accounts (
  account_id uuid primary key,
  customer_id uuid not null,
  currency text not null,
  closed boolean not null,
  -- Minor units.
  posted bigint not null
) with (fillfactor = 60);

create index customers_overview_accounts_customer on customers_overview_accounts (customer_id);
