-- Makes the tables of one generation of the read model `access_log`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_access_log(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table access_log%1$s (
      position bigint primary key,
      kind text not null,
      actor text not null,
      customer_id uuid,
      resource text not null,
      object_id uuid,
      moment timestamptz not null
    );
    create index access_log_customer%1$s on access_log%1$s (customer_id, position) where customer_id is not null;
    grant select, insert, update on access_log%1$s to kauri_server;
  $tables$, suffix);
end
$$;
