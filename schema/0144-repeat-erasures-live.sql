-- As before, in the generation of the customers that is live: after a rebuild and a switch, the first one knows of no
-- later erasure.
create or replace function repeat_erasures() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  generation integer;
  gone bigint;
begin
  -- Tombstones are numbered in the order of commits.
  select coalesce((generations ->> 'customers')::integer, 1) into generation from public.log_head for update;
  execute format(
    'insert into public.erased_subjects (subject, position)
      select c.customer_id, c.position from public.%I c where c.status = ''erased''
        and not exists (select from public.erased_subjects e where e.subject = c.customer_id)',
    case generation when 1 then 'customers' else 'customers_' || generation end);
  delete from public.personal_keys k where exists (select from public.erased_subjects e where e.subject = k.subject);
  get diagnostics gone = row_count;
  return gone;
end
$$;
revoke execute on function repeat_erasures() from public;
grant execute on function repeat_erasures() to kauri_server;
