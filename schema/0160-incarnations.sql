-- The histories of the log after its first. A restore or a failover may lose the newest commits; what is appended
-- afterwards is another history, which begins behind what was kept. With this anybody who has seen an event of an
-- earlier history can be told whether it is still there.
create table incarnations (
  incarnation integer primary key check (incarnation > 1),
  -- The last event that was kept of the history before.
  begins_after bigint not null check (begins_after >= 0),
  -- Of the last batch that was kept.
  batch_id uuid not null,
  reason text not null check (reason <> ''),
  declared_at timestamptz not null default clock_timestamp()
);

create trigger incarnations_refuse_change before update or delete or truncate on incarnations
  for each statement execute function refuse_change();

grant select on incarnations to kauri_server;
