-- Positions have no gaps: what one statement appends is a run, and the run follows on the log's end.
-- Tables are named with their schema: a temporary table of the same name must not stand in for one.
create function check_contiguity() returns trigger language plpgsql as $$
declare
  lowest bigint;
  highest bigint;
  appended bigint;
begin
  select min(position), max(position), count(*) into lowest, highest, appended from new_events;
  if appended = 0 then
    return null;
  end if;
  if highest - lowest + 1 <> appended then
    raise exception 'events % to % are appended with gaps', lowest, highest
      using errcode = 'integrity_constraint_violation';
  end if;
  if lowest <> 1
    and not exists (select from public.events where position = lowest - 1)
    -- The event before may stand in a partition that has been archived.
    and not exists (select from public.log_head where position = lowest - 1)
  then
    raise exception 'event % does not follow on the end of the log', lowest
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end
$$;

create trigger events_contiguity after insert on events
  referencing new table as new_events
  for each statement execute function check_contiguity();
