-- Makes the tables of one generation of the read model `book`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_book(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table book%1$s (
      one boolean primary key default true check (one),
      book_id uuid not null,
      terms jsonb not null,
      version bigint not null,
      position bigint not null
    );
    grant select, insert, update on book%1$s to kauri_server;
  $tables$, suffix);
end
$$;
