-- What the raw gate needs to know of a load that the counts alone do not say.

alter table control.load_tables
    add column superseded bigint not null default 0,  -- of unchanged: older versions within the same delivery
    add column known bigint not null default 0;       -- of unchanged: bad records already in quarantine

create index on control.load_tables (table_name, load_id);
create index on control.schema_changes (load_id);

-- How much of a load each rule set aside; counts only.
create table control.quarantined (
    load_id     bigint not null references control.loads,
    table_name  text   not null,
    column_name text   not null default '',
    reason      text   not null,
    rows        bigint not null,
    primary key (load_id, table_name, column_name, reason)
);
