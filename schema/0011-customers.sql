create table customers (
  customer_id uuid primary key,
  status text not null,
  -- Sealed under the customer's own key.
  name bytea not null,
  date_of_birth bytea,
  country text,
  sanctions_match boolean not null,
  -- By kind: {"fraud": {"score", "model", "scored_at"}}.
  scores jsonb not null,
  -- By currency, then kind, in minor units: {"NZD": {"daily": "100000"}}.
  limits jsonb not null,
  -- In the order they were opened.
  accounts uuid[] not null,
  version bigint not null,
  position bigint not null
) with (fillfactor = 80);
