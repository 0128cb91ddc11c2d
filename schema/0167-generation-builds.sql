-- What a rebuild that finds an unfinished generation must know before it goes on with it.
--
-- build: which build fills the tables, so that no two builds' rows are mixed in one generation; null for generations that
-- nobody may go on with.
-- differs: that it was compared with the live one and found different. Whatever is rebuilt then begins at the first event,
-- since the reason may stand in the rows that are there.
alter table projections
  add column build text,
  add column differs boolean not null default false;
