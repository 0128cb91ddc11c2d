-- Which form of the model a generation's tables have: a build that knows another form neither follows the log for them
-- nor fills them.
alter table projections add column shape integer not null default 1 check (shape > 0);
