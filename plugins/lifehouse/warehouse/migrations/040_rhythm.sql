-- What a source usually delivers: the shape of each load's rows by day, in counts and sums, never a value of a record.

create table control.load_profiles (
    load_id     bigint not null references control.loads,
    table_name  text   not null,
    day         date,               -- of the table's clock, in the company's time zone; null: older than is remembered
    column_name text   not null,    -- '' for the rows themselves
    measure     text   not null,    -- see lifehouse.ingest.profile
    total       double precision not null,
    n           bigint not null     -- how many rows the total is over
);
create index on control.load_profiles (table_name, load_id);

-- How a load was judged by its source's own history.
create table control.load_bounds (
    load_id       bigint not null references control.loads,
    table_name    text   not null,
    column_name   text   not null,
    measure       text   not null,
    found         double precision not null,
    low           double precision not null,  -- usual
    high          double precision not null,
    critical_low  double precision not null,  -- beyond these the gate closes
    critical_high double precision not null,
    days          bigint not null,            -- of history that the bounds rest on
    basis         text   not null,            -- same weekday, all days
    primary key (load_id, table_name, column_name, measure)
);

-- The columns and types that a source had at a load; the next load's are compared with those of the last accepted one.
create table control.load_shapes (
    load_id     bigint not null references control.loads,
    table_name  text   not null,
    columns     jsonb  not null,
    primary key (load_id, table_name)
);

comment on column control.schema_changes.kind is
    'added; widened and retyped (still hold what is declared); missing and narrowed (close the raw gate)';
