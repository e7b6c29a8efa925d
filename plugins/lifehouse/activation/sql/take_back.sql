update activation.outbox
set action = 'remove', reason = 'no longer allowed while in flight', fields = null, field_hash = null
where outbox_id = any(%(barred)s) and status = 'intent'
