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
