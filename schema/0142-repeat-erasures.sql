-- Customers are few that were erased, and looked for whenever a server starts.
create index customers_erased on customers (customer_id) where status = 'erased';

-- Erases again what a restore of single tables has brought back: keys of customers that are erased in the
-- book, or have a tombstone. Nothing
-- that isn't erased already is erased by it, so the server may call it whenever it starts.
create function repeat_erasures() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone bigint;
begin
  -- Tombstones are numbered in the order of commits.
  perform 1 from public.log_head for update;
  insert into public.erased_subjects (subject, position)
    select c.customer_id, c.position from public.customers c where c.status = 'erased'
      and not exists (select from public.erased_subjects e where e.subject = c.customer_id);
  delete from public.personal_keys k where exists (select from public.erased_subjects e where e.subject = k.subject);
  get diagnostics gone = row_count;
  return gone;
end
$$;
revoke execute on function repeat_erasures() from public;
grant execute on function repeat_erasures() to kauri_server;
