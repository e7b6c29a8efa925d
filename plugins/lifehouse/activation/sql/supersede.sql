-- What an earlier run planned and never sent is planned anew.
update activation.batches
set status = 'superseded', fields = null, settled_at = clock_timestamp()
where account = %(account)s and sync = %(sync)s and status = 'ready'
