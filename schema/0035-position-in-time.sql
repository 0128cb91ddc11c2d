-- Moments and book dates never fall along the log, so the position that a time stands for is found by halving it: two dozen rows for ten
-- million events, and no index that every append would pay for. Ranges that were detached and archived lie before everything else.

-- The last position whose moment is not after `at`; 0 when there is none.
create function position_at(at timestamptz) returns bigint language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint := (select position from log_head);
  middle bigint;
begin
  while low < high loop
    middle := low + (high - low + 1) / 2;
    if exists (select from events where position = middle and moment > at) then
      high := middle - 1;
    else
      low := middle;
    end if;
  end loop;
  return low;
end
$$;

-- The last position whose book date is not after `day`; 0 when there is none.
create function position_at_end_of(day date) returns bigint language plpgsql stable as $$
declare
  low bigint := 0;
  high bigint := (select position from log_head);
  middle bigint;
begin
  while low < high loop
    middle := low + (high - low + 1) / 2;
    if exists (select from events where position = middle and book_date > day) then
      high := middle - 1;
    else
      low := middle;
    end if;
  end loop;
  return low;
end
$$;
