-- Makes the tables of one generation of the read model `customers`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_customers(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table customers%1$s (
      customer_id uuid primary key,
      status text not null,
      name bytea not null,
      date_of_birth bytea,
      country text,
      sanctions_match boolean not null,
      scores jsonb not null,
      limits jsonb not null,
      accounts uuid[] not null,
      version bigint not null,
      position bigint not null,
      standing_since date not null
    ) with (fillfactor = 80);
    create index customers_erased%1$s on customers%1$s (customer_id) where status = 'erased';
    grant select, insert, update on customers%1$s to kauri_server;
  $tables$, suffix);
end
$$;
