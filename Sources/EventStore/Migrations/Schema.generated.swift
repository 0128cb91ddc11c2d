// swift-format-ignore-file
// Generated from schema/ by scripts/embed-schema. Change the files there, and run it.

/// The schema's history.
package enum Schema {
  /// In order of their numbers.
  package static let migrations: [Migration] = [
    Migration(number: 1, file: "0001-log-head.sql", sql: ##"""
-- The one row that every writer locks: where the log ends, and what the next batch has to know.
create table log_head (
  one boolean primary key default true check (one),
  position bigint not null default 0 check (position >= 0),
  -- Random, new with every batch: two histories can reach the same position, they can't share this.
  batch_id uuid not null default gen_random_uuid(),
  -- The clock that the last command was decided by; the next command's is later.
  last_moment timestamptz not null default 'epoch',
  -- Raised when a failover or a restore lost commits; it travels with everything that leaves the log.
  incarnation integer not null default 1 check (incarnation > 0),
  -- The rules that decide; 0 before the book is opened.
  rule_set integer not null default 0 check (rule_set >= 0),
  -- The right edge of the Merkle tree over the log.
  frontier bytea not null default '',
  -- The live generation of each read model, by its name.
  generations jsonb not null default '{}'
);

insert into log_head default values;

"""##),
    Migration(number: 2, file: "0002-events.sql", sql: ##"""
-- The log. Positions run from 1 without gaps in the order of commits.
create table events (
  position bigint not null,
  stream_kind text not null,
  stream_id uuid not null,
  stream_version bigint not null,
  type text not null,
  schema_version smallint not null,
  -- Compact JSON, personal text sealed: the very bytes that are hashed.
  payload bytea not null,
  command_id uuid not null,
  command_index integer not null,
  actor text not null,
  causation_id uuid,
  -- Null where it is the command's own id, the common case.
  correlation_id uuid,
  moment timestamptz not null,
  book_date date not null,
  rule_set integer not null,
  primary key (position)
) partition by range (position);

-- The events of one stream. The common case needs no entry here: a movement whose stream is named after its command is found through
-- `commands`.
create index events_stream on events (stream_id, stream_version)
  where stream_id <> command_id;

"""##),
    Migration(number: 3, file: "0003-commands.sql", sql: ##"""
-- Makes a command happen once, for ever.
create table commands (
  command_id uuid primary key,
  -- HMAC-SHA-256 of actor and content, its first 16 bytes. Null for an id of the client's own choice that an accepted movement
  -- took: it can't be a command's id any more, and it has no content to repeat.
  content_hash bytea,
  first_position bigint not null,
  event_count integer not null
);

"""##),
    Migration(number: 4, file: "0004-append-only.sql", sql: ##"""
-- Refuses to change or remove what the log has, whoever asks.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % is refused; a correction is a new event', tg_table_name, tg_op
    using errcode = 'restrict_violation';
end
$$;

-- For each row, because such a trigger is inherited by every partition; for each statement, because one that meets no row is refused too.
create trigger events_refuse_row_change before update or delete on events
  for each row execute function refuse_change();
create trigger events_refuse_change before update or delete or truncate on events
  for each statement execute function refuse_change();
create trigger commands_refuse_change before update or delete or truncate on commands
  for each statement execute function refuse_change();
create trigger log_head_refuse_removal before delete or truncate on log_head
  for each statement execute function refuse_change();

"""##),
    Migration(number: 5, file: "0005-contiguity.sql", sql: ##"""
-- Positions have no gaps: what one statement appends is a run, and the run follows on the log's end.
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
    raise exception 'events % to % are appended with gaps', lowest, highest using errcode = 'integrity_constraint_violation';
  end if;
  if lowest <> 1
    and not exists (select from events where position = lowest - 1)
    -- The event before may stand in a partition that has been archived.
    and not exists (select from log_head where position = lowest - 1)
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

"""##),
    Migration(number: 6, file: "0006-head-moves-forward.sql", sql: ##"""
-- The head never moves back, and always to the last event there is.
create function check_head() returns trigger language plpgsql as $$
begin
  if new.position < old.position or new.last_moment < old.last_moment or new.incarnation < old.incarnation then
    raise exception 'the head of the log moves forward only' using errcode = 'restrict_violation';
  end if;
  if new.position > old.position
    and (not exists (select from events where position = new.position)
      or exists (select from events where position = new.position + 1))
  then
    raise exception 'the head of the log must stand on its last event' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;

create trigger log_head_moves_forward before update on log_head
  for each row execute function check_head();

"""##),
    Migration(number: 7, file: "0007-event-partitions.sql", sql: ##"""
-- Makes sure that the partitions for the positions up to `ahead` exist, so that old ranges can be detached and archived. The server,
-- which owns nothing, calls it well before it gets there: attaching a partition needs no lock that a writer waits for.
create function prepare_event_partitions(ahead bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  size constant bigint := 10000000;
  first bigint;
  part text;
  -- Where the log's own schema is, whatever it is called.
  home text := (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'events_contiguity' where c.relname = 'events' limit 1);
begin
  perform pg_advisory_xact_lock(hashtext('kauri.event_partitions'));
  for number in 0 .. greatest(ahead, 1) / size loop
    first := number * size + 1;
    part := 'events_' || lpad(number::text, 6, '0');
    continue when to_regclass(format('%I.%I', home, part)) is not null;
    -- A range whose partition was detached and archived is behind the head and isn't made again.
    continue when exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = home and c.relname > part and c.relname ~ '^events_[0-9]{6}$');
    execute format('create table %1$I.%2$I (like %1$I.events including defaults including constraints)', home, part);
    execute format('create trigger refuse_truncate before truncate on %I.%I
      for each statement execute function %1$I.refuse_change()', home, part);
    execute format('create trigger contiguity after insert on %I.%I referencing new table as new_events
      for each statement execute function %1$I.check_contiguity()', home, part);
    execute format('alter table %1$I.events attach partition %1$I.%2$I for values from (%3$s) to (%4$s)',
      home, part, first, first + size);
  end loop;
end
$$;

select prepare_event_partitions(1);

"""##),
    Migration(number: 8, file: "0008-personal-keys.sql", sql: ##"""
-- A key per customer, wrapped by the master key. The one table of the log that may be deleted from: without the key, what it sealed is
-- gone everywhere.
create table personal_keys (
  -- The customer's id, or zero for the book's own key.
  subject uuid primary key,
  wrapped_key bytea not null,
  created_at timestamptz not null default now()
);

"""##),
    Migration(number: 10, file: "0010-book.sql", sql: ##"""
-- What the book is and which policies are in force.
create table book (
  one boolean primary key default true check (one),
  book_id uuid not null,
  -- As `BookOpened` has it, with the policies of today.
  terms jsonb not null,
  version bigint not null,
  position bigint not null
);

"""##),
    Migration(number: 11, file: "0011-customers.sql", sql: ##"""
create table customers (
  customer_id uuid primary key,
  status text not null,
  -- Sealed under the customer's own key.
  name bytea not null,
  date_of_birth bytea,
  country text,
  sanctions_match boolean not null,
  -- By kind: {"fraud": {"score", "model", "scored_at"}}.
  scores jsonb not null,
  -- By currency, then kind, in minor units: {"NZD": {"daily": "100000"}}.
  limits jsonb not null,
  -- In the order they were opened.
  accounts uuid[] not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 80);

"""##),
    Migration(number: 12, file: "0012-accounts.sql", sql: ##"""
create table accounts (
  account_id uuid primary key,
  kind text not null,
  customer_id uuid,
  currency text not null,
  -- Sealed under its customer's key, or the book's.
  name bytea,
  number text,
  classification text,
  status text not null,
  -- Minor units.
  overdraft bigint not null,
  allow_negative boolean not null,
  -- By kind, in minor units: {"daily": "100000"}.
  limits jsonb not null,
  scores jsonb not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 90);

create unique index accounts_number on accounts (number) where number is not null;

"""##),
    Migration(number: 13, file: "0013-balances.sql", sql: ##"""
-- What moves with nearly every command, apart from what hardly ever does: a narrow row costs the writer less.
create table balances (
  account_id uuid primary key,
  -- Minor units.
  posted bigint not null,
  held bigint not null,
  -- What limits count: per book date, 4 bytes of days since 1970 and 8 bytes of minor units, big-endian, in order of dates.
  usage bytea not null,
  position bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.4);

"""##),
    Migration(number: 14, file: "0014-holds.sql", sql: ##"""
create table holds (
  hold_id uuid primary key,
  account_id uuid not null,
  -- Minor units.
  amount bigint not null,
  captured bigint not null,
  currency text not null,
  expires_at timestamptz,
  status text not null,
  -- The book date on which it used up limits.
  placed_on date not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 80);

create index holds_active on holds (account_id) where status = 'active';
create index holds_expiry on holds (expires_at) where status = 'active' and expires_at is not null;

"""##),
    Migration(number: 15, file: "0015-approvals.sql", sql: ##"""
-- What waits, or waited, for a second person. What it is stands in the event at `held_position`.
create table approvals (
  command_id uuid primary key,
  status text not null,
  held_position bigint not null,
  -- Of the stream of what waits.
  stream_version bigint not null,
  position bigint not null
);

create index approvals_waiting on approvals (held_position) where status = 'waiting';

"""##),
    Migration(number: 16, file: "0016-sanctions.sql", sql: ##"""
create table sanctions_lists (
  list text primary key,
  list_version text not null,
  -- Entries in force.
  entries integer not null,
  version bigint not null,
  position bigint not null
);

create table sanctions_entries (
  list text not null,
  entry_id text not null,
  entry jsonb not null,
  -- No longer on the list; kept so that nothing has to be deleted.
  removed boolean not null,
  position bigint not null,
  primary key (list, entry_id)
);

"""##),
    Migration(number: 20, file: "0020-event-view.sql", sql: ##"""
-- The log for people: payloads as JSON.
create view event_log as
  select position, stream_kind, stream_id, stream_version, type, schema_version,
    convert_from(payload, 'UTF8')::jsonb as payload, command_id, command_index, actor, causation_id,
    coalesce(correlation_id, command_id) as correlation_id, moment, book_date, rule_set
  from events;

"""##),
  ]
}
