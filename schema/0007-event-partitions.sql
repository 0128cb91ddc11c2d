-- Makes sure that the partitions for the positions up to `ahead` exist, so that old ranges can be detached and archived. The server,
-- which owns nothing, calls it well before it gets there: attaching a partition needs no lock that a writer waits for.
create function prepare_event_partitions(ahead bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  size constant bigint := 10000000;
  first bigint;
  part text;
  -- Where the log's own schema is, whatever it is called.
  home text := (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'events_contiguity' where c.relname = 'events' limit 1);
begin
  perform pg_advisory_xact_lock(hashtext('kauri.event_partitions'));
  for number in 0 .. greatest(ahead, 1) / size loop
    first := number * size + 1;
    part := 'events_' || lpad(number::text, 6, '0');
    continue when to_regclass(format('%I.%I', home, part)) is not null;
    -- A range whose partition was detached and archived is behind the head and isn't made again.
    continue when exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = home and c.relname > part and c.relname ~ '^events_[0-9]{6}$');
    execute format('create table %1$I.%2$I (like %1$I.events including defaults including constraints)', home, part);
    execute format('create trigger refuse_truncate before truncate on %I.%I
      for each statement execute function %1$I.refuse_change()', home, part);
    execute format('create trigger contiguity after insert on %I.%I referencing new table as new_events
      for each statement execute function %1$I.check_contiguity()', home, part);
    execute format('alter table %1$I.events attach partition %1$I.%2$I for values from (%3$s) to (%4$s)',
      home, part, first, first + size);
  end loop;
end
$$;

select prepare_event_partitions(1);
