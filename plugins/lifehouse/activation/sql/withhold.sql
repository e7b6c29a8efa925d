update activation.outbox
set status = 'withdrawn', reason = 'no longer allowed', fields = null, settled_at = clock_timestamp()
where outbox_id = any(%(barred)s) and status = 'intent'
