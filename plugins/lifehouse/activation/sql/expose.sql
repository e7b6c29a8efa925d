-- The held out are exposed to not being sent.
insert into activation.exposures (experiment, customer_id, arm, sync, sync_run_id)
select %(experiment)s, customer_id, 'holdout', %(sync)s, %(sync_run_id)s
from members
where verdict = 'held out'
on conflict do nothing
