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

-- The events of one stream. The common case needs no entry here: a movement whose stream is named after its command is
-- found through `commands`.
create index events_stream on events (stream_id, stream_version)
  where stream_id <> command_id;

"""##),
    Migration(number: 3, file: "0003-commands.sql", sql: ##"""
-- Makes a command happen once, for ever.
create table commands (
  command_id uuid primary key,
  -- HMAC-SHA-256 of actor and content, its first 16 bytes. Null for an id of the client's own choice that an accepted
  -- movement took: it can't be a command's id any more, and it has no content to repeat.
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

"""##),
    Migration(number: 5, file: "0005-contiguity.sql", sql: ##"""
-- Positions have no gaps: what one statement appends is a run, and the run follows on the log's end.
-- Tables are named with their schema: a temporary table of the same name must not stand in for one.
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
    raise exception 'events % to % are appended with gaps', lowest, highest
      using errcode = 'integrity_constraint_violation';
  end if;
  if lowest <> 1
    and not exists (select from public.events where position = lowest - 1)
    -- The event before may stand in a partition that has been archived.
    and not exists (select from public.log_head where position = lowest - 1)
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

"""##),
    Migration(number: 7, file: "0007-event-partitions.sql", sql: ##"""
-- Makes sure that the partitions for the positions after the log's end and up to `ahead` exist. A partition is a range
-- that can be detached and archived; ranges behind the end are never made again.
--
-- The server, which owns nothing, calls it well before it gets there and outside any other transaction. Making a
-- partition takes no lock on `events` that a writer waits for; callers take turns by that same lock.
create function prepare_event_partitions(ahead bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  size constant bigint := 10000000;
  head constant bigint := (select position from public.log_head);
  part text;
begin
  if ahead > head + 10 * size then
    raise exception 'position % is too far ahead of the log''s end %', ahead, head
      using errcode = 'invalid_parameter_value';
  end if;
  for number in head / size .. (greatest(ahead, head + 1) - 1) / size loop
    part := 'events_' || lpad(number::text, 6, '0');
    continue when to_regclass('public.' || part) is not null;
    lock table public.events in share update exclusive mode;
    continue when to_regclass('public.' || part) is not null;
    execute format('create table public.%I (like public.events including defaults)', part);
    execute format('create trigger refuse_change before update or delete or truncate on public.%I
      for each statement execute function public.refuse_change()', part);
    execute format('create trigger contiguity after insert on public.%I referencing new table as new_events
      for each statement execute function public.check_contiguity()', part);
    execute format('alter table public.events attach partition public.%I for values from (%s) to (%s)',
      part, number * size + 1, (number + 1) * size + 1);
  end loop;
end
$$;

select prepare_event_partitions(1);

"""##),
    Migration(number: 8, file: "0008-personal-keys.sql", sql: ##"""
-- A key per customer, wrapped by the master key. The one table of the log that may be deleted from: without the key,
-- what it sealed is gone everywhere.
create table personal_keys (
  -- The customer's id, or zero for the book's own key.
  subject uuid primary key,
  -- AES-256-GCM under a key derived from the master key: nonce, encrypted key of 32 bytes, tag.
  wrapped_key bytea not null check (length(wrapped_key) = 60),
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
  -- What limits count: per book date, 4 bytes of days since 1970 and 8 bytes of minor units, big-endian, in order of
  -- dates.
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
    Migration(number: 30, file: "0030-projections.sql", sql: ##"""
-- How far each read model that follows the log has come, and who moves it: one row a model and generation.
create table projections (
  model text not null,
  generation integer not null check (generation > 0),
  -- The last event whose changes are in the model's tables; it moves in the same transaction as they do.
  position bigint not null default 0 check (position >= 0),
  -- Who follows the log for it. Raised whenever the lease changes hands: only who holds this epoch moves the position.
  epoch bigint not null default 0,
  owner uuid,
  lease_until timestamptz,
  primary key (model, generation)
) with (fillfactor = 50);

insert into projections (model, generation) values
  ('entries', 1), ('customers_overview', 1), ('declines', 1), ('access_log', 1);

"""##),
    Migration(number: 31, file: "0031-entries.sql", sql: ##"""
-- Statement lines: one row a posting, with the balance after it.
create table entries (
  position bigint not null,
  -- Minor units; negative for a debit.
  change bigint not null,
  -- The account's posted balance after it, in minor units.
  balance bigint not null,
  moment timestamptz not null,
  book_date date not null,
  value_date date,
  -- The posting's place in its event, from 0.
  leg smallint not null,
  account_id uuid not null,
  -- Of the transfer, journal or hold.
  movement_id uuid not null,
  -- The other account, where there is just one.
  counterparty uuid,
  kind text not null,
  -- The movement's reference, or a reversal's reason, sealed under the subject's key.
  text_subject uuid,
  text bytea,
  primary key (account_id, position, leg)
);

-- What was held on an account, as it changed: with the entries, an account's past. The first row is the account's opening.
create table held_changes (
  position bigint not null,
  -- Minor units; negative for what is given back.
  change bigint not null,
  -- What is held after it, in minor units.
  held bigint not null,
  account_id uuid not null,
  -- The command that waits for a second person, where that is what it is held for.
  waiting_command uuid,
  primary key (account_id, position)
);

create index held_changes_waiting on held_changes (waiting_command) where waiting_command is not null;

"""##),
    Migration(number: 32, file: "0032-customers-overview.sql", sql: ##"""
-- Every customer at a glance.
create table customers_overview (
  customer_id uuid primary key,
  status text not null,
  country text,
  sanctions_match boolean not null,
  registered_at timestamptz not null
) with (fillfactor = 80);

-- Their accounts, of which the overview has the totals by currency.
create table customers_overview_accounts (
  account_id uuid primary key,
  customer_id uuid not null,
  currency text not null,
  closed boolean not null,
  -- Minor units.
  posted bigint not null
) with (fillfactor = 60);

create index customers_overview_accounts_customer on customers_overview_accounts (customer_id);

"""##),
    Migration(number: 33, file: "0033-declines.sql", sql: ##"""
-- Commands that were declined, and why.
create table declines (
  position bigint primary key,
  command_id uuid not null,
  command text not null,
  code text not null,
  actor text not null,
  -- The account that was to be debited or changed, where the command named one by its id.
  account_id uuid,
  -- Minor units.
  amount bigint,
  currency text,
  moment timestamptz not null,
  book_date date not null
);

create index declines_account on declines (account_id, position) where account_id is not null;

"""##),
    Migration(number: 34, file: "0034-access-log.sql", sql: ##"""
-- Who of the bank saw whose data, and who was refused what.
create table access_log (
  position bigint primary key,
  kind text not null,
  actor text not null,
  customer_id uuid,
  -- The route that was asked for, or the command that was refused.
  resource text not null,
  object_id uuid,
  moment timestamptz not null
);

create index access_log_customer on access_log (customer_id, position) where customer_id is not null;

"""##),
    Migration(number: 35, file: "0035-position-in-time.sql", sql: ##"""
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

"""##),
    Migration(number: 36, file: "0036-query-indexes.sql", sql: ##"""
-- For people's questions; no decision reads these.
create index holds_account on holds (account_id, hold_id);
create index sanctions_entries_id on sanctions_entries (entry_id);

"""##),
    Migration(number: 90, file: "0090-grants.sql", sql: ##"""
-- What the server may do, and nothing else: it owns nothing, deletes nothing, and changes nothing of the log but its
-- head.
do $$
begin
  if not exists (select from pg_roles where rolname = 'kauri_server') then
    raise exception 'the role kauri_server, which the server connects as, is missing'
      using errcode = 'undefined_object', hint = 'As a superuser: create role kauri_server login;';
  end if;
  -- Temporary tables above all: nobody but the owner makes anything in this database.
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to kauri_server', current_database());
end
$$;

revoke all on schema public from public;
revoke all on all tables in schema public from public;
revoke execute on all functions in schema public from public;
alter default privileges revoke execute on functions from public;

grant usage on schema public to kauri_server;

-- The log, and the view of it for people: what the view shows the server may read anyway.
grant select, insert on events, commands, personal_keys to kauri_server;
grant select on event_log to kauri_server;
grant select, update on log_head to kauri_server;
grant execute on function prepare_event_partitions(bigint) to kauri_server;

-- The read models that decisions read.
grant select, insert, update on
  book, customers, accounts, balances, holds, approvals, sanctions_lists, sanctions_entries
  to kauri_server;

-- The read models that follow the log.
grant select, insert, update on
  projections, entries, held_changes, customers_overview, customers_overview_accounts, declines, access_log
  to kauri_server;
grant execute on function position_at(timestamptz), position_at_end_of(date) to kauri_server;

-- Which migrations there are: a server that finds others than its own isn't ready.
grant select on kauri_migrations to kauri_server;

"""##),
    Migration(number: 95, file: "0095-overview-totals.sql", sql: ##"""
-- The overview's totals are read from the entries, which have every account's balance at every position: kept here too,
-- they cost each transfer two more changed rows.
alter table customers_overview_accounts drop column posted;

"""##),
    Migration(number: 100, file: "0100-tiles.sql", sql: ##"""
-- The Merkle tree over the log, in tiles: a tile of level t holds up to 256 neighbouring nodes of the tree's level 8 * t,
-- the leaves at level 0. The nodes in between are folded from these when somebody asks for a proof.
create table tiles (
  level smallint not null check (level between 0 and 7),
  -- From 0, along the level.
  index bigint not null check (index >= 0),
  -- 32 bytes each.
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (level, index)
);

-- Hashes can't be compressed: trying costs, and gains nothing.
alter table tiles alter column hashes set storage external;

-- A tile only grows at its end, and a full one never changes.
create function check_tile_growth() returns trigger language plpgsql as $$
begin
  if new.level <> old.level or new.index <> old.index
    or octet_length(new.hashes) <= octet_length(old.hashes)
    or substring(new.hashes from 1 for octet_length(old.hashes)) <> old.hashes
  then
    raise exception 'tile % of level % only grows at its end', old.index, old.level using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;

create trigger tiles_grow before update on tiles
  for each row execute function check_tile_growth();
create trigger tiles_refuse_removal before delete or truncate on tiles
  for each statement execute function refuse_change();

grant select, insert, update (hashes) on tiles to kauri_server;

"""##),
    Migration(number: 101, file: "0101-sealed-head.sql", sql: ##"""
-- The head says how much of the log is sealed: the first 8 bytes of the frontier. The seal only grows, the tiles reach
-- exactly as far as it says, and a log that is sealed to its end stays so: nothing can be appended without its leaf.
create function check_seal() returns trigger language plpgsql as $$
declare
  before constant bigint := case when old.frontier = '' then 0
    else ('x' || encode(substring(old.frontier from 1 for 8), 'hex'))::bit(64)::bigint end;
  after constant bigint := case when new.frontier = '' then 0
    else ('x' || encode(substring(new.frontier from 1 for 8), 'hex'))::bit(64)::bigint end;
  nodes bigint := after;
  tile_level smallint := 0;
begin
  if after < before or (after = before and new.frontier <> old.frontier) then
    raise exception 'the seal over the log only grows' using errcode = 'restrict_violation';
  end if;
  if after > new.position or (before > 0 and before = old.position and after <> new.position) then
    raise exception 'the log ends at %, and is sealed to %', new.position, after
      using errcode = 'integrity_constraint_violation';
  end if;
  if after = before then
    return new;
  end if;
  if octet_length(new.frontier) <> 8 + 32 * bit_count(substring(new.frontier from 1 for 8)) then
    raise exception 'the frontier of % events has % bytes', after, octet_length(new.frontier)
      using errcode = 'integrity_constraint_violation';
  end if;
  -- The last tile of each level ends where the level does.
  while nodes > 0 loop
    if not exists (select from public.tiles t where t.level = tile_level and t.index = (nodes - 1) / 256
      and octet_length(t.hashes) = 32 * ((nodes - 1) % 256 + 1))
    then
      raise exception 'the tiles of level % don''t end with event %', tile_level, after
        using errcode = 'integrity_constraint_violation';
    end if;
    nodes := nodes / 256;
    tile_level := tile_level + 1;
  end loop;
  return new;
end
$$;

create trigger log_head_is_sealed before update on log_head
  for each row execute function check_seal();

"""##),
    Migration(number: 102, file: "0102-checkpoints.sql", sql: ##"""
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

"""##),
    Migration(number: 120, file: "0120-projection-shapes.sql", sql: ##"""
-- Which form of the model a generation's tables have: a build that knows another form neither follows the log for them
-- nor fills them.
alter table projections add column shape integer not null default 1 check (shape > 0);

"""##),
    Migration(number: 121, file: "0121-generation-suffix.sql", sql: ##"""
-- What the names of a generation's tables end with: nothing in the first, `_N` in the later ones.
create domain generation_suffix as text not null check (value ~ '^(_[1-9][0-9]{0,8})?$');

"""##),
    Migration(number: 122, file: "0122-make-book.sql", sql: ##"""
-- Makes the tables of one generation of the read model `book`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_book(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table book%1$s (
      one boolean primary key default true check (one),
      book_id uuid not null,
      terms jsonb not null,
      version bigint not null,
      position bigint not null
    );
    grant select, insert, update on book%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 123, file: "0123-make-customers.sql", sql: ##"""
-- Makes the tables of one generation of the read model `customers`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_customers(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table customers%1$s (
      customer_id uuid primary key,
      status text not null,
      name bytea not null,
      date_of_birth bytea,
      country text,
      sanctions_match boolean not null,
      scores jsonb not null,
      limits jsonb not null,
      accounts uuid[] not null,
      version bigint not null,
      position bigint not null,
      standing_since date not null
    ) with (fillfactor = 80);
    create index customers_erased%1$s on customers%1$s (customer_id) where status = 'erased';
    grant select, insert, update on customers%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 124, file: "0124-make-accounts.sql", sql: ##"""
-- Makes the tables of one generation of the read model `accounts`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_accounts(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table accounts%1$s (
      account_id uuid primary key,
      kind text not null,
      customer_id uuid,
      currency text not null,
      name bytea,
      number text,
      classification text,
      status text not null,
      overdraft bigint not null,
      allow_negative boolean not null,
      limits jsonb not null,
      scores jsonb not null,
      version bigint not null,
      position bigint not null,
      closed_on date
    ) with (fillfactor = 90);
    create unique index accounts_number%1$s on accounts%1$s (number) where number is not null;
    grant select, insert, update on accounts%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 125, file: "0125-make-balances.sql", sql: ##"""
-- Makes the tables of one generation of the read model `balances`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_balances(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table balances%1$s (
      account_id uuid primary key,
      posted bigint not null,
      held bigint not null,
      usage bytea not null,
      position bigint not null
    ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.4);
    grant select, insert, update on balances%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 126, file: "0126-make-holds.sql", sql: ##"""
-- Makes the tables of one generation of the read model `holds`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_holds(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table holds%1$s (
      hold_id uuid primary key,
      account_id uuid not null,
      amount bigint not null,
      captured bigint not null,
      currency text not null,
      expires_at timestamptz,
      status text not null,
      placed_on date not null,
      version bigint not null,
      position bigint not null
    ) with (fillfactor = 80);
    create index holds_active%1$s on holds%1$s (account_id) where status = 'active';
    create index holds_expiry%1$s on holds%1$s (expires_at) where status = 'active' and expires_at is not null;
    create index holds_account%1$s on holds%1$s (account_id, hold_id);
    grant select, insert, update on holds%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 127, file: "0127-make-approvals.sql", sql: ##"""
-- Makes the tables of one generation of the read model `approvals`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_approvals(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table approvals%1$s (
      command_id uuid primary key,
      status text not null,
      held_position bigint not null,
      stream_version bigint not null,
      position bigint not null
    );
    create index approvals_waiting%1$s on approvals%1$s (held_position) where status = 'waiting';
    grant select, insert, update on approvals%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 128, file: "0128-make-sanctions.sql", sql: ##"""
-- Makes the tables of one generation of the read model `sanctions`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_sanctions(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table sanctions_lists%1$s (
      list text primary key,
      list_version text not null,
      entries integer not null,
      version bigint not null,
      position bigint not null
    );
    create table sanctions_entries%1$s (
      list text not null,
      entry_id text not null,
      entry jsonb not null,
      removed boolean not null,
      position bigint not null,
      primary key (list, entry_id)
    );
    create index sanctions_entries_id%1$s on sanctions_entries%1$s (entry_id);
    grant select, insert, update on sanctions_lists%1$s, sanctions_entries%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 129, file: "0129-make-entries.sql", sql: ##"""
-- Makes the tables of one generation of the read model `entries`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_entries(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table entries%1$s (
      position bigint not null,
      change bigint not null,
      balance bigint not null,
      moment timestamptz not null,
      book_date date not null,
      value_date date,
      leg smallint not null,
      account_id uuid not null,
      movement_id uuid not null,
      counterparty uuid,
      kind text not null,
      text_subject uuid,
      text bytea,
      primary key (account_id, position, leg)
    );
    create table held_changes%1$s (
      position bigint not null,
      change bigint not null,
      held bigint not null,
      account_id uuid not null,
      waiting_command uuid,
      primary key (account_id, position)
    );
    create index held_changes_waiting%1$s on held_changes%1$s (waiting_command) where waiting_command is not null;
    grant select, insert, update on entries%1$s, held_changes%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 130, file: "0130-make-customers-overview.sql", sql: ##"""
-- Makes the tables of one generation of the read model `customers_overview`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_customers_overview(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table customers_overview%1$s (
      customer_id uuid primary key,
      status text not null,
      country text,
      sanctions_match boolean not null,
      registered_at timestamptz not null
    ) with (fillfactor = 80);
    create table customers_overview_accounts%1$s (
      account_id uuid primary key,
      customer_id uuid not null,
      currency text not null,
      closed boolean not null
    ) with (fillfactor = 60);
    create index customers_overview_accounts_customer%1$s on customers_overview_accounts%1$s (customer_id);
    grant select, insert, update on customers_overview%1$s, customers_overview_accounts%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 131, file: "0131-make-declines.sql", sql: ##"""
-- Makes the tables of one generation of the read model `declines`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_declines(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table declines%1$s (
      position bigint primary key,
      command_id uuid not null,
      command text not null,
      code text not null,
      actor text not null,
      account_id uuid,
      amount bigint,
      currency text,
      moment timestamptz not null,
      book_date date not null
    );
    create index declines_account%1$s on declines%1$s (account_id, position) where account_id is not null;
    grant select, insert, update on declines%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 132, file: "0132-make-access-log.sql", sql: ##"""
-- Makes the tables of one generation of the read model `access_log`, as those of the first are.
-- Whoever rebuilds the model, as the owner, calls it. A model that changes gets its new form by replacing it.
create function make_access_log(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table access_log%1$s (
      position bigint primary key,
      kind text not null,
      actor text not null,
      customer_id uuid,
      resource text not null,
      object_id uuid,
      moment timestamptz not null
    );
    create index access_log_customer%1$s on access_log%1$s (customer_id, position) where customer_id is not null;
    grant select, insert, update on access_log%1$s to kauri_server;
  $tables$, suffix);
end
$$;

"""##),
    Migration(number: 140, file: "0140-erased-subjects.sql", sql: ##"""
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

"""##),
    Migration(number: 141, file: "0141-erase-personal-keys.sql", sql: ##"""
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

"""##),
    Migration(number: 142, file: "0142-repeat-erasures.sql", sql: ##"""
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

"""##),
    Migration(number: 143, file: "0143-retention-dates.sql", sql: ##"""
-- What retention counts from. Filled in from the log for what was there before.
alter table accounts add column closed_on date;
update accounts a set closed_on = e.book_date from events e
  where a.status = 'closed' and e.stream_id = a.account_id and e.stream_kind = 'account' and e.type = 'AccountClosed';

-- The book date on which the status last changed.
alter table customers add column standing_since date;
update customers c set standing_since = s.since
from (
  select stream_id, max(book_date) as since from events
  where stream_kind = 'customer'
    and type in ('CustomerRegistered', 'CustomerVerified', 'CustomerRejected', 'CustomerSuspended')
  group by stream_id
) as s
where s.stream_id = c.customer_id;
alter table customers alter column standing_since set not null;

"""##),
    Migration(number: 144, file: "0144-repeat-erasures-live.sql", sql: ##"""
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

"""##),
    Migration(number: 160, file: "0160-incarnations.sql", sql: ##"""
-- The histories of the log after its first. A restore or a failover may lose the newest commits; what is appended
-- afterwards is another history, which begins behind what was kept. With this anybody who has seen an event of an
-- earlier history can be told whether it is still there.
create table incarnations (
  incarnation integer primary key check (incarnation > 1),
  -- The last event that was kept of the history before.
  begins_after bigint not null check (begins_after >= 0),
  -- Of the last batch that was kept.
  batch_id uuid not null,
  reason text not null check (reason <> ''),
  declared_at timestamptz not null default clock_timestamp()
);

create trigger incarnations_refuse_change before update or delete or truncate on incarnations
  for each statement execute function refuse_change();

grant select on incarnations to kauri_server;

"""##),
    Migration(number: 165, file: "0165-entries-used.sql", sql: ##"""
-- Entries say what was used of limits, as a running total: an account's past needs one row a day of the month then, however
-- many entries the day has.

create or replace function make_entries(suffix generation_suffix) returns void
language plpgsql set search_path = public, pg_temp as $$
begin
  execute format($tables$
    create table entries%1$s (
      position bigint not null,
      change bigint not null,
      balance bigint not null,
      moment timestamptz not null,
      book_date date not null,
      value_date date,
      leg smallint not null,
      account_id uuid not null,
      movement_id uuid not null,
      counterparty uuid,
      kind text not null,
      text_subject uuid,
      text bytea,
      -- What transfers and journals that nobody had to agree to first have taken out of the account since it was opened, in
      -- minor units, modulo 2^64: the difference of two is what they used of limits between them.
      used bigint not null,
      primary key (account_id, position, leg)
    );
    create index entries_reversals%1$s on entries%1$s (account_id, position) where kind = 'reversal';
    create table held_changes%1$s (
      position bigint not null,
      change bigint not null,
      held bigint not null,
      account_id uuid not null,
      waiting_command uuid,
      primary key (account_id, position)
    );
    create index held_changes_waiting%1$s on held_changes%1$s (waiting_command) where waiting_command is not null;
    grant select, insert, update on entries%1$s, held_changes%1$s to kauri_server;
  $tables$, suffix);
end
$$;

-- A book without entries gets the new form at once; any other by `kauri rebuild entries`.
do $$
begin
  perform from projections where model = 'entries' and generation = 1 and position = 0 for update;
  if found then
    alter table entries add column used bigint not null;
    create index entries_reversals on entries (account_id, position) where kind = 'reversal';
    update projections set shape = 2 where model = 'entries' and generation = 1;
  end if;
end
$$;

"""##),
    Migration(number: 166, file: "0166-extend-tile.sql", sql: ##"""
-- A tile that goes on must end where the writer believes it does: otherwise somebody has changed it past every trigger, and
-- what would be appended to it isn't the next leaf. Nothing of the batch is committed then.
create function extend_tile(tile_level smallint, tile_index bigint, ending integer, gained bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update public.tiles set hashes = hashes || gained
    where level = tile_level and index = tile_index and octet_length(hashes) = ending;
  if not found then
    raise exception 'tile % of level % doesn''t end after % bytes', tile_index, tile_level, ending
      using errcode = 'integrity_constraint_violation';
  end if;
end
$$;
revoke execute on function extend_tile(smallint, bigint, integer, bytea) from public;
grant execute on function extend_tile(smallint, bigint, integer, bytea) to kauri_server;

"""##),
    Migration(number: 167, file: "0167-generation-builds.sql", sql: ##"""
-- What a rebuild that finds an unfinished generation must know before it goes on with it.
--
-- build: which build fills the tables, so that no two builds' rows are mixed in one generation; null for generations that
-- nobody may go on with.
-- differs: that it was compared with the live one and found different. Whatever is rebuilt then begins at the first event,
-- since the reason may stand in the rows that are there.
alter table projections
  add column build text,
  add column differs boolean not null default false;

"""##),
  ]
}
