-- The head says how much of the log is sealed: the first 8 bytes of the frontier. The seal only grows, the tiles reach
-- exactly as far as it says, and a log that is sealed to its end stays so: nothing can be appended without its leaf.
create function check_seal() returns trigger language plpgsql as $$
declare
  before constant bigint := case when old.frontier = '' then 0
    else ('x' || encode(substring(old.frontier from 1 for 8), 'hex'))::bit(64)::bigint end;
  after constant bigint := case when new.frontier = '' then 0
    else ('x' || encode(substring(new.frontier from 1 for 8), 'hex'))::bit(64)::bigint end;
  nodes bigint := after;
  tile_level smallint := 0;
begin
  if after < before or (after = before and new.frontier <> old.frontier) then
    raise exception 'the seal over the log only grows' using errcode = 'restrict_violation';
  end if;
  if after > new.position or (before > 0 and before = old.position and after <> new.position) then
    raise exception 'the log ends at %, and is sealed to %', new.position, after
      using errcode = 'integrity_constraint_violation';
  end if;
  if after = before then
    return new;
  end if;
  if octet_length(new.frontier) <> 8 + 32 * bit_count(substring(new.frontier from 1 for 8)) then
    raise exception 'the frontier of % events has % bytes', after, octet_length(new.frontier)
      using errcode = 'integrity_constraint_violation';
  end if;
  -- The last tile of each level ends where the level does.
  while nodes > 0 loop
    if not exists (select from public.tiles t where t.level = tile_level and t.index = (nodes - 1) / 256
      and octet_length(t.hashes) = 32 * ((nodes - 1) % 256 + 1))
    then
      raise exception 'the tiles of level % don''t end with event %', tile_level, after
        using errcode = 'integrity_constraint_violation';
    end if;
    nodes := nodes / 256;
    tile_level := tile_level + 1;
  end loop;
  return new;
end
$$;

create trigger log_head_is_sealed before update on log_head
  for each row execute function check_seal();
