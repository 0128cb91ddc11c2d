-- Statement lines: one row a posting, with the balance after it.
create table entries (
  position bigint not null,
  -- Minor units; negative for a debit.
  change bigint not null,
  -- The account's posted balance after it, in minor units.
  balance bigint not null,
  moment timestamptz not null,
  book_date date not null,
  value_date date,
  -- The posting's place in its event, from 0.
  leg smallint not null,
  account_id uuid not null,
  -- Of the transfer, journal or hold.
  movement_id uuid not null,
  -- The other account, where there is just one.
  counterparty uuid,
  kind text not null,
  -- The movement's reference, or a reversal's reason, sealed under the subject's key.
  text_subject uuid,
  text bytea,
  primary key (account_id, position, leg)
);

-- What was held on an account, as it changed: with the entries, an account's past. The first row is the account's opening.
create table held_changes (
  position bigint not null,
  -- Minor units; negative for what is given back.
  change bigint not null,
  -- What is held after it, in minor units.
  held bigint not null,
  account_id uuid not null,
  -- The command that waits for a second person, where that is what it is held for.
  waiting_command uuid,
  primary key (account_id, position)
);

create index held_changes_waiting on held_changes (waiting_command) where waiting_command is not null;
