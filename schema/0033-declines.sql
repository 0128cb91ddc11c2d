-- Commands that were declined, and why.
create table declines (
  position bigint primary key,
  command_id uuid not null,
  command text not null,
  code text not null,
  actor text not null,
  -- The account that was to be debited or changed, where the command named one by its id.
  account_id uuid,
  -- Minor units.
  amount bigint,
  currency text,
  moment timestamptz not null,
  book_date date not null
);

create index declines_account on declines (account_id, position) where account_id is not null;
