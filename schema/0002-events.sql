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
