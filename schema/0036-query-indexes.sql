-- For people's questions; no decision reads these.
create index holds_account on holds (account_id, hold_id);
create index sanctions_entries_id on sanctions_entries (entry_id);
