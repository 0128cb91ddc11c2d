-- What moves with nearly every command, apart from what hardly ever does: a narrow row costs the writer less.
create table balances (
  account_id uuid primary key,
  -- Minor units.
  posted bigint not null,
  held bigint not null,
  -- What limits count: per book date, 4 bytes of days since 1970 and 8 bytes of minor units, big-endian, in order of
  -- dates.
  usage bytea not null,
  position bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.4);
