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
