-- Makes sure that the partitions for the positions after the log's end and up to `ahead` exist. A partition is a range
-- that can be detached and archived; ranges behind the end are never made again.
--
-- The server, which owns nothing, calls it well before it gets there and outside any other transaction. Making a
-- partition takes no lock on `events` that a writer waits for; callers take turns by that same lock.
create function prepare_event_partitions(ahead bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  size constant bigint := 10000000;
  head constant bigint := (select position from public.log_head);
  part text;
begin
  if ahead > head + 10 * size then
    raise exception 'position % is too far ahead of the log''s end %', ahead, head
      using errcode = 'invalid_parameter_value';
  end if;
  for number in head / size .. (greatest(ahead, head + 1) - 1) / size loop
    part := 'events_' || lpad(number::text, 6, '0');
    continue when to_regclass('public.' || part) is not null;
    lock table public.events in share update exclusive mode;
    continue when to_regclass('public.' || part) is not null;
    execute format('create table public.%I (like public.events including defaults)', part);
    execute format('create trigger refuse_change before update or delete or truncate on public.%I
      for each statement execute function public.refuse_change()', part);
    execute format('create trigger contiguity after insert on public.%I referencing new table as new_events
      for each statement execute function public.check_contiguity()', part);
    execute format('alter table public.events attach partition public.%I for values from (%s) to (%s)',
      part, number * size + 1, (number + 1) * size + 1);
  end loop;
end
$$;

select prepare_event_partitions(1);
