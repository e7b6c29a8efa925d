-- What stations that act as roles of few rights need of their owner.

-- The grants that were last made in this database; another fingerprint means that the code has changed them since.
create table control.role_grants (
    only_row    boolean     primary key default true check (only_row),
    fingerprint text        not null,
    granted_at  timestamptz not null default clock_timestamp()
);

-- The senders that live: <pid>@<start of the session>. The start is hidden from roles other than the session's own.
create function control.session_names() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pid || '@' || extract(epoch from backend_start) from pg_catalog.pg_stat_activity;
end;
comment on function control.session_names() is 'The sessions of this server, as batches name the one that claimed them.';

-- Staging reads raw by keys that only its models know; raw belongs to another role, and only an owner makes an index.
create function control.index_raw(raw_schema text, raw_table text, index_name text, expression text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if raw_schema not like 'raw\_%' then
        raise exception 'only raw tables are indexed by this function, not %', raw_schema;
    end if;
    perform pg_advisory_xact_lock(hashtextextended(format('index %s.%s', raw_schema, index_name), 7405080));
    if to_regclass(format('%I.%I', raw_schema, index_name)) is null then
        execute format('create index %I on %I.%I ((%s))', index_name, raw_schema, raw_table, expression);
    end if;
end
$$;
comment on function control.index_raw(text, text, text, text) is
    'Makes an index on a raw table, by an expression over its columns, unless it is there.';
