-- Makes the tables of one generation of the read model `accounts`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_accounts(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table accounts%1$s (
      account_id uuid primary key,
      kind text not null,
      customer_id uuid,
      currency text not null,
      name bytea,
      number text,
      classification text,
      status text not null,
      overdraft bigint not null,
      allow_negative boolean not null,
      limits jsonb not null,
      scores jsonb not null,
      version bigint not null,
      position bigint not null,
      closed_on date
    ) with (fillfactor = 90);
    create unique index accounts_number%1$s on accounts%1$s (number) where number is not null;
    grant select, insert, update on accounts%1$s to kauri_server;
  $tables$, suffix);
end
$$;
