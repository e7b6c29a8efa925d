-- Batches whose every row the platform has spoken of are settled. What it confirmed is folded into the records later.
update activation.batches
set status = 'settled', fields = null, settled_at = clock_timestamp(), to_fold = true
where batch_id = any(%(batches)s) and claimed_by = %(me)s and status = 'sent'
