-- Refuses to change or remove what the log has, whoever asks.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % is refused; a correction is a new event', tg_table_name, tg_op
    using errcode = 'restrict_violation';
end
$$;

-- For each row, because such a trigger is inherited by every partition; for each statement, because one that meets no
-- row is refused too. What isn't inherited, each partition gets as it is made.
create trigger events_refuse_row_change before update or delete on events
  for each row execute function refuse_change();
create trigger events_refuse_change before update or delete or truncate on events
  for each statement execute function refuse_change();
create trigger commands_refuse_change before update or delete or truncate on commands
  for each statement execute function refuse_change();
create trigger log_head_refuse_removal before delete or truncate on log_head
  for each statement execute function refuse_change();
