-- Identity: what each record says of who it is, in one shape or with the reason why not, and what was kept out of matching.

drop view if exists core.record_identifiers;  -- its place is taken by core.identifiers, which only changed records cost

create table core.identifiers (
    source       text not null,
    customer_key text not null,
    holder       text not null,      -- person, household or account; '' where the kind says it all (id:<source>)
    kind         text not null,      -- email, phone, loyalty_card, id:<source>
    written      text not null,      -- as the record has it
    value        text,               -- in the one shape; null where it has none
    reason       text,               -- why it is not matched on; null where it is
    rule         text not null       -- of the rules that said so
);
create index on core.identifiers (source, customer_key);
create index on core.identifiers (value, kind) where reason is null;
comment on table core.identifiers is 'One row per source record, kind and spelling of an identifier, kept by the identity step.';

create table core.cut_identifiers (
    holder       text   not null,
    kind         text   not null,
    value        text   not null,
    why          text   not null check (why in ('shared', 'apart')),
    records      bigint not null,    -- that carry it
    primary key (holder, kind, value, why)
);
comment on table core.cut_identifiers is
    'Identifiers that are not matched on: more records share them than the cap, or they would join two whom a person declared apart.';

create table control.identity_decisions (
    decision_id  bigint generated always as identity primary key,
    verdict      text        not null check (verdict in ('same', 'apart', 'withdrawn')),
    source       text        not null,
    customer_key text        not null,
    other_source text        not null,
    other_key    text        not null,
    reason       text        not null,
    decided_by   text        not null,
    decided_at   timestamptz not null default clock_timestamp(),
    change_seq   bigint      not null default 0,   -- given by the trigger
    check ((source collate "C", customer_key collate "C") < (other_source collate "C", other_key collate "C"))
);
create index on control.identity_decisions (change_seq);
comment on table control.identity_decisions is
    'What people said of pairs of records: the same person, or not. The newest word on a pair stands.';
create trigger number_decision before insert or update of change_seq on control.identity_decisions
    for each row execute function control.number_decision();
