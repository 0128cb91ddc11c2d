-- What the names of a generation's tables end with: nothing in the first, `_N` in the later ones.
create domain generation_suffix as text not null check (value ~ '^(_[1-9][0-9]{0,8})?$');
