-- Makes the tables of one generation of the read model `customers_overview`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_customers_overview(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table customers_overview%1$s (
      customer_id uuid primary key,
      status text not null,
      country text,
      sanctions_match boolean not null,
      registered_at timestamptz not null
    ) with (fillfactor = 80);
    create table customers_overview_accounts%1$s (
      account_id uuid primary key,
      customer_id uuid not null,
      currency text not null,
      closed boolean not null
    ) with (fillfactor = 60);
    create index customers_overview_accounts_customer%1$s on customers_overview_accounts%1$s (customer_id);
    grant select, insert, update on customers_overview%1$s, customers_overview_accounts%1$s to kauri_server;
  $tables$, suffix);
end
$$;
