-- How far each read model that follows the log has come, and who moves it: one row a model and generation.
create table projections (
  model text not null,
  generation integer not null check (generation > 0),
  -- The last event whose changes are in the model's tables; it moves in the same transaction as they do.
  position bigint not null default 0 check (position >= 0),
  -- Who follows the log for it. Raised whenever the lease changes hands: only who holds this epoch moves the position.
  epoch bigint not null default 0,
  owner uuid,
  lease_until timestamptz,
  primary key (model, generation)
) with (fillfactor = 50);

insert into projections (model, generation) values
  ('entries', 1), ('customers_overview', 1), ('declines', 1), ('access_log', 1);
