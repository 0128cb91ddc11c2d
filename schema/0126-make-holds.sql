-- Makes the tables of one generation of the read model `holds`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_holds(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table holds%1$s (
      hold_id uuid primary key,
      account_id uuid not null,
      amount bigint not null,
      captured bigint not null,
      currency text not null,
      expires_at timestamptz,
      status text not null,
      placed_on date not null,
      version bigint not null,
      position bigint not null
    ) with (fillfactor = 80);
    create index holds_active%1$s on holds%1$s (account_id) where status = 'active';
    create index holds_expiry%1$s on holds%1$s (expires_at) where status = 'active' and expires_at is not null;
    create index holds_account%1$s on holds%1$s (account_id, hold_id);
    grant select, insert, update on holds%1$s to kauri_server;
  $tables$, suffix);
end
$$;
