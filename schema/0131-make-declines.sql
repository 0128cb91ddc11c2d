-- Makes the tables of one generation of the read model `declines`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_declines(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table declines%1$s (
      position bigint primary key,
      command_id uuid not null,
      command text not null,
      code text not null,
      actor text not null,
      account_id uuid,
      amount bigint,
      currency text,
      moment timestamptz not null,
      book_date date not null
    );
    create index declines_account%1$s on declines%1$s (account_id, position) where account_id is not null;
    grant select, insert, update on declines%1$s to kauri_server;
  $tables$, suffix);
end
$$;
