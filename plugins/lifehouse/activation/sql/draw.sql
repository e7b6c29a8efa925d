insert into activation.holdouts (experiment, customer_id, arm, share, sync_run_id)
select %(experiment)s, customer_id, arm, %(share)s, %(sync_run_id)s
from members
where verdict in ('send', 'held out')
on conflict do nothing
