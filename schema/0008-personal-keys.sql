-- A key per customer, wrapped by the master key. The one table of the log that may be deleted from: without the key,
-- what it sealed is gone everywhere.
create table personal_keys (
  -- The customer's id, or zero for the book's own key.
  subject uuid primary key,
  -- AES-256-GCM under a key derived from the master key: nonce, encrypted key of 32 bytes, tag.
  wrapped_key bytea not null check (length(wrapped_key) = 60),
  created_at timestamptz not null default now()
);
