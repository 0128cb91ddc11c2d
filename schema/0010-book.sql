-- What the book is and which policies are in force.
create table book (
  one boolean primary key default true check (one),
  book_id uuid not null,
  -- As `BookOpened` has it, with the policies of today.
  terms jsonb not null,
  version bigint not null,
  position bigint not null
);
