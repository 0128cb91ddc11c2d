-- Whose personal text nobody can read any more: a tombstone for each key that was erased, so that no other
-- key is ever made in its place.
create table erased_subjects (
  -- The customer's id.
  subject uuid primary key check (subject <> '00000000-0000-0000-0000-000000000000'),
  -- In the order of commits: rows are added under the head's lock. Servers follow it to forget the keys that
  -- they remember.
  number bigint generated always as identity unique,
  -- Of the event that erased the customer. Null where the erasure came from a list that was kept outside,
  -- after a restore that lost
  -- the event.
  position bigint,
  erased_at timestamptz not null default clock_timestamp()
);

create trigger erased_subjects_refuse_change before update or delete or truncate on erased_subjects
  for each statement execute function refuse_change();

-- Whatever asks for it (a writer of an older build, a restore of the table of keys), an erased subject gets
-- no key.
create function refuse_key_of_erased() returns trigger language plpgsql as $$
begin
  if exists (select from public.erased_subjects where subject = new.subject) then
    return null;
  end if;
  return new;
end
$$;

create trigger personal_keys_of_nobody_erased before insert or update on personal_keys
  for each row execute function refuse_key_of_erased();

revoke all on erased_subjects from public;
grant select on erased_subjects to kauri_server;
