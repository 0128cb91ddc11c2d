-- What retention counts from. Filled in from the log for what was there before.
alter table accounts add column closed_on date;
update accounts a set closed_on = e.book_date from events e
  where a.status = 'closed' and e.stream_id = a.account_id and e.stream_kind = 'account' and e.type = 'AccountClosed';

-- The book date on which the status last changed.
alter table customers add column standing_since date;
update customers c set standing_since = s.since
from (
  select stream_id, max(book_date) as since from events
  where stream_kind = 'customer'
    and type in ('CustomerRegistered', 'CustomerVerified', 'CustomerRejected', 'CustomerSuspended')
  group by stream_id
) as s
where s.stream_id = c.customer_id;
alter table customers alter column standing_since set not null;
