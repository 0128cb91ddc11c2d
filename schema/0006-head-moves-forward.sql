-- The head never moves back, and always to the last event there is.
create function check_head() returns trigger language plpgsql as $$
begin
  if new.position < old.position or new.last_moment < old.last_moment or new.incarnation < old.incarnation then
    raise exception 'the head of the log moves forward only' using errcode = 'restrict_violation';
  end if;
  if new.position > old.position
    and (not exists (select from public.events where position = new.position)
      or exists (select from public.events where position = new.position + 1))
  then
    raise exception 'the head of the log must stand on its last event'
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

create trigger log_head_moves_forward before update on log_head
  for each row execute function check_head();
