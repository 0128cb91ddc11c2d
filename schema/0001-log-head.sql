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
