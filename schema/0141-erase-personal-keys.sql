-- The one way by which the server, which may delete nothing, has a key deleted: within the transaction that
-- appends the customer's erasure
-- to the log, or any time after it. The event is the warrant.
create function erase_personal_keys(subjects uuid[], positions bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (
    select from unnest(subjects, positions) as erased (subject, "position")
    where not exists (
      select from public.events e
      where e.position = erased.position and e.type = 'CustomerErased' and e.stream_kind = 'customer'
        and e.stream_id = erased.subject)
  ) then
    raise exception 'a key is erased only by the event that erases its customer' using errcode = 'restrict_violation';
  end if;
  insert into public.erased_subjects (subject, position)
    select * from unnest(subjects, positions) order by 1 on conflict (subject) do nothing;
  delete from public.personal_keys where subject = any(subjects);
end
$$;
revoke execute on function erase_personal_keys(uuid[], bigint[]) from public;
grant execute on function erase_personal_keys(uuid[], bigint[]) to kauri_server;
