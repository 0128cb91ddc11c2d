-- The Merkle tree over the log, in tiles: a tile of level t holds up to 256 neighbouring nodes of the tree's level 8 * t,
-- the leaves at level 0. The nodes in between are folded from these when somebody asks for a proof.
create table tiles (
  level smallint not null check (level between 0 and 7),
  -- From 0, along the level.
  index bigint not null check (index >= 0),
  -- 32 bytes each.
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (level, index)
);

-- Hashes can't be compressed: trying costs, and gains nothing.
alter table tiles alter column hashes set storage external;

-- A tile only grows at its end, and a full one never changes.
create function check_tile_growth() returns trigger language plpgsql as $$
begin
  if new.level <> old.level or new.index <> old.index
    or octet_length(new.hashes) <= octet_length(old.hashes)
    or substring(new.hashes from 1 for octet_length(old.hashes)) <> old.hashes
  then
    raise exception 'tile % of level % only grows at its end', old.index, old.level using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;

create trigger tiles_grow before update on tiles
  for each row execute function check_tile_growth();
create trigger tiles_refuse_removal before delete or truncate on tiles
  for each statement execute function refuse_change();

grant select, insert, update (hashes) on tiles to kauri_server;
