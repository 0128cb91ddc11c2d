-- Makes the tables of one generation of the read model `entries`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_entries(suffix generation_suffix) returns void
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
      primary key (account_id, position, leg)
    );
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
