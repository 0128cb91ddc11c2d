-- Makes a command happen once, for ever.
create table commands (
  command_id uuid primary key,
  -- HMAC-SHA-256 of actor and content, its first 16 bytes. Null for an id of the client's own choice that an accepted
  -- movement took: it can't be a command's id any more, and it has no content to repeat.
  content_hash bytea,
  first_position bigint not null,
  event_count integer not null
);
