-- What a reading back heard of those who unsubscribed there, and whether it mended anything or only looked.
alter table activation.reconciliations
add column unsubscribed bigint not null default 0,   -- our customers who did so there, and were not suppressed for it
add column is_repair boolean not null default false;

create or replace view marts.reconciliations as
select
    reconciliation_id,
    sync,
    account,
    there,
    ours,
    both_hold,
    only_here,
    only_there,
    in_flight,
    resent,
    gone,
    started_at,
    ended_at,
    unsubscribed,
    is_repair
from activation.reconciliations;
comment on column marts.reconciliations.unsubscribed is 'customers of ours who unsubscribed there and were not suppressed for it until then';
comment on column marts.reconciliations.is_repair is 'whether it mended what differed (and suppressed who unsubscribed), or only looked';
