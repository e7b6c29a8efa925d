-- A key of a person that a table named and names no more: the record may be gone from its source altogether.
alter table core.changed_keys drop constraint changed_keys_kind_check;
alter table core.changed_keys add constraint changed_keys_kind_check check (kind in ('customer', 'order', 'cookie', 'gone'));
