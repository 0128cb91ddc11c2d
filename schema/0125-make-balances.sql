-- Makes the tables of one generation of the read model `balances`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_balances(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table balances%1$s (
      account_id uuid primary key,
      posted bigint not null,
      held bigint not null,
      usage bytea not null,
      position bigint not null
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.4);
    grant select, insert, update on balances%1$s to kauri_server;
  $tables$, suffix);
end
$$;
