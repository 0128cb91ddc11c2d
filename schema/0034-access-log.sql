-- Who of the bank saw whose data, and who was refused what.
create table access_log (
  position bigint primary key,
  kind text not null,
  actor text not null,
  customer_id uuid,
  -- The route that was asked for, or the command that was refused.
  resource text not null,
  object_id uuid,
  moment timestamptz not null
);

create index access_log_customer on access_log (customer_id, position) where customer_id is not null;
