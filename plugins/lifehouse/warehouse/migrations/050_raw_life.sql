-- The life of a record in raw after it came: deleted at the source, released from quarantine, replaced by a baseline.

alter table control.loads
    add column kind text not null default 'delivery',
    add column origin_load_id bigint references control.loads,
    add column baselined_at timestamptz;
comment on column control.loads.kind is
    'delivery: as the source gave it; released: records that a person let out of quarantine, accepted from the start.';
comment on column control.loads.origin_load_id is
    'Of a released load: the delivery that its records came with. They are as old as that one.';
comment on column control.loads.baselined_at is
    'When a baseline first replaced records of it (retention): since then its decision stands.';
create index on control.loads (origin_load_id) where origin_load_id is not null;

alter table control.load_tables
    add column deleted bigint not null default 0,          -- tombstones: keys a list lacked or a log named; not of received
    add column revived bigint not null default 0,          -- deleted keys that the list has again; not of received
    add column flagged bigint not null default 0,          -- of loaded: records that say they are deleted
    add column unreadable_keys bigint not null default 0,  -- of the key list; such a list deletes nothing
    add column baselined_at timestamptz;
create index on control.load_tables (table_name, load_id) where baselined_at is null;

alter table control.quarantined
    add column released bigint not null default 0,   -- of rows
    add column discarded bigint not null default 0;  -- of rows

do $$
declare
    place record;
begin
    for place in
        select pg_namespace.nspname, pg_class.relname
        from pg_class
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        inner join pg_attribute on pg_attribute.attrelid = pg_class.oid
        where pg_class.relkind = 'r' and pg_namespace.nspname like 'raw\_%' and pg_attribute.attname = '_load_id'
    loop
        execute format(
            'alter table %I.%I add column if not exists _deleted boolean not null default false',
            place.nspname, place.relname
        );
    end loop;
    for place in
        select pg_class.relname
        from pg_class
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        where pg_class.relkind = 'r' and pg_namespace.nspname = 'quarantine'
    loop
        execute format(
            'alter table quarantine.%I add column if not exists _key text, add column if not exists decision text, '
            'add column if not exists decided_at timestamptz, add column if not exists decided_by text, '
            'add column if not exists decision_reason text, add column if not exists released_load_id bigint',
            place.relname
        );
        execute format('create index on quarantine.%I (_key) where decision is null', place.relname);
        execute format(
            'create index on quarantine.%I (released_load_id) where released_load_id is not null', place.relname
        );
    end loop;
end
$$;
