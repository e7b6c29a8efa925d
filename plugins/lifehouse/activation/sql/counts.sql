select
    members.*,
    actions.*,
    (
        select count(*) from activation.records
        where account = %(account)s and sync = %(sync)s and field_hash is not null
    ) as acknowledged,
    (
        select count(*) from activation.in_flight
        where account = %(account)s and sync = %(sync)s
    ) as in_flight
from (
    select
        count(*) filter (where verdict = 'send') as desired,
        count(*) filter (where verdict = 'held out') as held_out,
        count(*) filter (where verdict = 'without consent') as without_consent,
        count(*) filter (where verdict = 'unreachable') as unreachable,
        count(*) filter (where verdict = 'shared key') as shared_key,
        count(*) filter (where verdict = 'suppressed') as suppressed,
        count(*) filter (where verdict = 'left out') as left_out,
        count(*) filter (where verdict = 'capped') as capped
    from members
) as members
cross join (
    select
        count(*) filter (where action = 'add' and is_waiting = %(only_failed)s) as adds,
        count(*) filter (where action = 'change' and is_waiting = %(only_failed)s) as changes,
        count(*) filter (where action = 'remove' and is_waiting = %(only_failed)s) as removes,
        count(*) filter (where is_waiting and not %(only_failed)s) as waiting,
        count(*) filter (where is_waiting is null) as quiet
    from actions
) as actions
