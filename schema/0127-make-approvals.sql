-- Makes the tables of one generation of the read model `approvals`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_approvals(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table approvals%1$s (
      command_id uuid primary key,
      status text not null,
      held_position bigint not null,
      stream_version bigint not null,
      position bigint not null
    );
    create index approvals_waiting%1$s on approvals%1$s (held_position) where status = 'waiting';
    grant select, insert, update on approvals%1$s to kauri_server;
  $tables$, suffix);
end
$$;
