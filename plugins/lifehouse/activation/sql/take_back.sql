-- The platform may hold these rows already: they become removals, in their places.
with noted as (
    insert into activation.exceptions (batch_id, place, reason)
    select %(batch_id)s, place, 'no longer allowed while in flight: ' || why
    from unnest(%(places)s::integer[], %(whys)s::text[]) as barred (place, why)
)

update activation.batches
set
    actions = array(
        select case when place = any(%(places)s) then 'remove' else action end
        from unnest(actions) with ordinality as rows (action, place)
        order by place
    ),
    fields = array(
        select case when %(keeps_fields)s or place <> all(%(places)s) then field end
        from unnest(fields) with ordinality as rows (field, place)
        order by place
    ),
    field_hashes = array(
        select case when place <> all(%(places)s) then field_hash end
        from unnest(field_hashes) with ordinality as rows (field_hash, place)
        order by place
    )
where batch_id = %(batch_id)s
