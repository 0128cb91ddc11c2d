-- Makes the tables of one generation of the read model `sanctions`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_sanctions(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table sanctions_lists%1$s (
      list text primary key,
      list_version text not null,
      entries integer not null,
      version bigint not null,
      position bigint not null
    );
    create table sanctions_entries%1$s (
      list text not null,
      entry_id text not null,
      entry jsonb not null,
      removed boolean not null,
      position bigint not null,
      primary key (list, entry_id)
    );
    create index sanctions_entries_id%1$s on sanctions_entries%1$s (entry_id);
    grant select, insert, update on sanctions_lists%1$s, sanctions_entries%1$s to kauri_server;
  $tables$, suffix);
end
$$;
