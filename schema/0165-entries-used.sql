-- Entries say what was used of limits, as a running total: an account's past needs one row a day of the month then, however
-- many entries the day has.

create or replace function make_entries(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table entries%1$s (
      position bigint not null,
      change bigint not null,
      balance bigint not null,
      moment timestamptz not null,
      book_date date not null,
      value_date date,
      leg smallint not null,
      account_id uuid not null,
      movement_id uuid not null,
      counterparty uuid,
      kind text not null,
      text_subject uuid,
      text bytea,
      -- What transfers and journals that nobody had to agree to first have taken out of the account since it was opened, in
      -- minor units, modulo 2^64: the difference of two is what they used of limits between them.
      used bigint not null,
      primary key (account_id, position, leg)
    );
    create index entries_reversals%1$s on entries%1$s (account_id, position) where kind = 'reversal';
    create table held_changes%1$s (
      position bigint not null,
      change bigint not null,
      held bigint not null,
      account_id uuid not null,
      waiting_command uuid,
      primary key (account_id, position)
    );
    create index held_changes_waiting%1$s on held_changes%1$s (waiting_command) where waiting_command is not null;
    grant select, insert, update on entries%1$s, held_changes%1$s to kauri_server;
  $tables$, suffix);
end
$$;

-- A book without entries gets the new form at once; any other by `kauri rebuild entries`.
do $$
begin
  perform from projections where model = 'entries' and generation = 1 and position = 0 for update;
  if found then
    alter table entries add column used bigint not null;
    create index entries_reversals on entries (account_id, position) where kind = 'reversal';
    update projections set shape = 2 where model = 'entries' and generation = 1;
  end if;
end
$$;
