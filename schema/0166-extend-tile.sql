-- A tile that goes on must end where the writer believes it does: otherwise somebody has changed it past every trigger, and
-- what would be appended to it isn't the next leaf. Nothing of the batch is committed then.
create function extend_tile(tile_level smallint, tile_index bigint, ending integer, gained bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update public.tiles set hashes = hashes || gained
    where level = tile_level and index = tile_index and octet_length(hashes) = ending;
  if not found then
    raise exception 'tile % of level % doesn''t end after % bytes', tile_index, tile_level, ending
      using errcode = 'integrity_constraint_violation';
  end if;
end
$$;
revoke execute on function extend_tile(smallint, bigint, integer, bytea) from public;
grant execute on function extend_tile(smallint, bigint, integer, bytea) to kauri_server;
