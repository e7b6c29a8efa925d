-- Who of those asked may not be sent now, though they consented, and why. Asked alike when planning and when sending.
with asked as ({asked}),

standing as (
    select *
    from activation.suppressions
    where
        lifted_at is null and (until is null or until > clock_timestamp())
        and (channel is null or channel = %(channel)s::text) and (account is null or account = %(account)s)
),

named as (
    -- Who was merged into an older customer stays suppressed as that one.
    select
        coalesce(merges.customer_id, standing.identifier) as customer_id,
        standing.channel,
        standing.since,
        standing.yields_to_grant
    from standing
    left join marts.customer_merges as merges on standing.identifier = merges.retired_id
    where standing.identifier_kind = 'customer'

    union all

    select
        identifiers.customer_id,
        standing.channel,
        standing.since,
        standing.yields_to_grant
    from asked
    inner join marts.customer_identifiers as identifiers using (customer_id)
    inner join standing
        on identifiers.identifier_kind = standing.identifier_kind
        and standing.identifier = {hashed}
    where identifiers.identifier_kind in (select standing.identifier_kind from standing)
),

suppressed as (
    select named.customer_id
    from named
    inner join asked using (customer_id)
    where not (
        named.yields_to_grant and exists (
            select from marts.consents as consents
            where
                consents.customer_id = named.customer_id and consents.channel = coalesce(named.channel, %(channel)s::text)
                and consents.status = 'granted' and consents.changed_at > named.since
        )
    )
),

picked as (
    select distinct on (1)
        coalesce(merges.customer_id, picks.customer_id) as customer_id,
        picks.is_in
    from activation.picks as picks
    left join marts.customer_merges as merges on picks.customer_id = merges.retired_id
    where picks.sync = %(sync)s and picks.lifted_at is null and (picks.until is null or picks.until > clock_timestamp())
    order by 1, picks.is_in
),

-- What reached them, or is on its way: of this sync too, but not the row that is being judged.
sendings as (
    select coalesce(merges.customer_id, rows.customer_id) as customer_id
    from activation.batches as batches
    cross join lateral unnest(batches.customer_ids, batches.actions) with ordinality as rows (customer_id, action, place)
    left join activation.exceptions as exceptions on batches.batch_id = exceptions.batch_id and rows.place = exceptions.place
    left join marts.customer_merges as merges on rows.customer_id = merges.retired_id
    where
        batches.kind = %(kind)s and rows.action = 'add' and exceptions.status is null
        and batches.made_at > clock_timestamp() - %(within)s::interval - interval '30 days'
        and (
            batches.status = 'settled' and batches.settled_at > clock_timestamp() - %(within)s::interval
            or batches.status = 'sent' and (batches.sync, batches.account) is distinct from (%(sync)s, %(account)s)
        )
),

capped as (
    select sendings.customer_id
    from sendings
    inner join asked using (customer_id)
    where not exists (select from picked where picked.customer_id = sendings.customer_id and picked.is_in)
    group by sendings.customer_id
    having count(*) >= %(at_most)s::integer
)

select distinct on (customer_id)
    customer_id,
    why
from (
    select customer_id, 'suppressed' as why, 1 as place from suppressed
    union all
    select customer_id, 'left out' as why, 2 as place from picked where not is_in
    union all
    select customer_id, 'capped' as why, 3 as place from capped
    union all
    select customer_id, 'picked' as why, 4 as place from picked where is_in
) as found
order by customer_id, place
