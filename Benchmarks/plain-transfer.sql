-- A transfer as simple as can be, with neither log head nor checks: two rows and an entry. Needs :accounts.
\set one random(1, :accounts)
\set other random(1, :accounts)
\set amount random(-100, 100)
-- Always the lower one first, so that no two clients wait for each other.
\set low least(:one, :other)
\set high greatest(:one, :other)
begin;
update plain_accounts set balance = balance - :amount where account = :low;
update plain_accounts set balance = balance + :amount where account = :high;
insert into plain_entries (debit, credit, amount) values (:low, :high, :amount);
commit;
