-- As in 0142, for the customers of the generation that is live. Until a rebuild has made another, that is the first.
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
    'customers' || case when generation = 1 then '' else '_' || generation end);
  delete from public.personal_keys k where exists (select from public.erased_subjects e where e.subject = k.subject);
  get diagnostics gone = row_count;
  return gone;
end
$$;
