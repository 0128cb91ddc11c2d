-- Signed heads of the tree over the log: what somebody outside can hold the bank to. Never changed, never removed.
create table checkpoints (
  incarnation integer not null check (incarnation > 0),
  -- Events that the signed tree holds.
  size bigint not null check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  -- The signed note as it was given out.
  note text not null,
  signed_at timestamptz not null default clock_timestamp(),
  primary key (incarnation, size)
);

-- Only what is committed is signed: whoever inserts sees the head as a transaction of its own does.
create function check_checkpoint() returns trigger language plpgsql as $$
begin
  if not exists (select from public.log_head h where h.incarnation = new.incarnation
    and octet_length(h.frontier) > 8 and substring(h.frontier from 1 for 8) >= int8send(new.size))
  then
    raise exception 'the log of incarnation % isn''t sealed to %', new.incarnation, new.size
      using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

create trigger checkpoints_follow_the_head before insert on checkpoints
  for each row execute function check_checkpoint();
create trigger checkpoints_refuse_change before update or delete or truncate on checkpoints
  for each statement execute function refuse_change();

-- Who signs. The lease's end says when somebody else may take over; the epoch keeps out who was overtaken.
create table checkpoint_signer (
  one boolean primary key default true check (one),
  epoch bigint not null default 0,
  owner uuid,
  lease_until timestamptz
) with (fillfactor = 50);

insert into checkpoint_signer default values;

grant select, insert on checkpoints to kauri_server;
grant select, update on checkpoint_signer to kauri_server;
