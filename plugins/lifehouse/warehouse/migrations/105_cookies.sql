-- Cookies whose interactions changed: whoever is known by them has another timeline.
alter table core.changed_keys drop constraint changed_keys_kind_check;
alter table core.changed_keys add constraint changed_keys_kind_check check (kind in ('customer', 'order', 'cookie'));
