-- What the server may do, and nothing else: it owns nothing, deletes nothing, and changes nothing of the log but its
-- head.
do $$
begin
  if not exists (select from pg_roles where rolname = 'kauri_server') then
    raise exception 'the role kauri_server, which the server connects as, is missing'
      using errcode = 'undefined_object', hint = 'As a superuser: create role kauri_server login;';
  end if;
  -- Temporary tables above all: nobody but the owner makes anything in this database.
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to kauri_server', current_database());
end
$$;

revoke all on schema public from public;
revoke all on all tables in schema public from public;
revoke execute on all functions in schema public from public;
alter default privileges revoke execute on functions from public;

grant usage on schema public to kauri_server;

-- The log, and the view of it for people: what the view shows the server may read anyway.
grant select, insert on events, commands, personal_keys to kauri_server;
grant select on event_log to kauri_server;
grant select, update on log_head to kauri_server;
grant execute on function prepare_event_partitions(bigint) to kauri_server;

-- The read models that decisions read.
grant select, insert, update on
  book, customers, accounts, balances, holds, approvals, sanctions_lists, sanctions_entries
  to kauri_server;

-- The read models that follow the log.
grant select, insert, update on
  projections, entries, held_changes, customers_overview, customers_overview_accounts, declines, access_log
  to kauri_server;
grant execute on function position_at(timestamptz), position_at_end_of(date) to kauri_server;

-- Which migrations there are: a server that finds others than its own isn't ready.
grant select on kauri_migrations to kauri_server;
