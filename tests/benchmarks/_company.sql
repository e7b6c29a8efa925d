-- A seeded company of {people} people with some twenty events each over three years, as staging would have it. Staging reads
-- views: what happened is written once here, and once there.
create schema bench;

-- A number in [0, 1) that depends on its arguments alone.
create function bench.draw(number bigint, salt int) returns float8 language sql immutable parallel safe
return (hashint8extended(number, salt) & 4503599627370495) / 4503599627370496.0;

-- Half of the people leave early; a life ends at the end of the third year at the latest.
create table bench.people as
select
    number,
    timestamptz '2021-01-01' + days * interval '24 hours' as born_at,
    (1095 - days) * case when bench.draw(number, 2) < 0.5 then bench.draw(number, 3) ^ 2 else 1 end as alive_days,
    1 + least(300, floor(-19 * ln(1 - bench.draw(number, 4))))::int as events
from (select number, floor(1000 * bench.draw(number, 1)) as days from generate_series(1, {people}) as number) as drawn;

create unlogged table bench.happened as
select
    people.number,
    case when bench.draw(place.key, 5) < 0.8 then 'shop' else 'crm' end as source,
    people.number || '-' || n as source_key,
    date_trunc('second', born_at + alive_days * bench.draw(place.key, 6) * interval '24 hours') as at,
    bench.draw(place.key, 7) as kind,
    bench.draw(place.key, 8) as luck
from bench.people
cross join lateral generate_series(1, events) as n
cross join lateral (select people.number * 1000 + n as key) as place;

create view bench.profiles as
select
    source, source || number as source_key, born_at as _loaded_at, source || number as customer_key, 'person' as kind,
    'person ' || number as full_name,
    case when source = 'shop' or bench.draw(number, 9) < 0.9 then 'Person.' || number || '@Example.com' end as email,
    case when source = 'shop' then '+49 30 ' || 10000000 + number end as phone,
    case when source = 'crm' or bench.draw(number, 9) >= 0.9 then '44-' || number end as loyalty_card,
    born_at as created_at, born_at as updated_at
from bench.people cross join (values ('crm'), ('shop')) as sources (source);

create view bench.orders as
select
    source, source_key, at as _loaded_at, source || number as customer_key,
    case when luck < 0.03 then 'refund' else 'sale' end as order_type, at as ordered_at,
    'completed' as status, 'web' as channel, 'EUR' as currency
from bench.happened where kind < 0.30;

create view bench.order_lines as
select
    source, source_key, _loaded_at, source_key as order_key, 'p' || length(source_key) as product_key,
    order_type as line_type, 1 as quantity, 5 + length(source_key) as unit_price,
    case order_type when 'sale' then 5 + length(source_key) else -5 end as amount, 0 as discount, 'EUR' as currency
from bench.orders;

create view bench.interactions as
select
    source, source_key, at as _loaded_at, source || number as customer_key,
    (array['visit', 'visit', 'visit', 'view', 'view', 'cart', 'ad_click', 'social', 'call', 'store_visit'])[1 + floor(10 * luck)::int] as action,
    'search' as channel, at as occurred_at
from bench.happened where kind between 0.30 and 0.60;

create view bench.messages as
select
    source, source_key, at as _loaded_at, source || number as customer_key, source_key as message_key, 'email' as channel,
    (array['sent', 'sent', 'delivered', 'delivered', 'opened', 'opened', 'clicked', 'bounced'])[1 + floor(8 * luck)::int] as event,
    at as occurred_at
from bench.happened where kind between 0.60 and 0.84;

create view bench.tickets as
select
    source, source_key, at as _loaded_at, source || number as customer_key, 'question' as kind, 'delivery' as topic,
    at as opened_at, at + interval '2 hours' as first_answer_at, at + luck * interval '96 hours' as solved_at
from bench.happened where kind between 0.84 and 0.86;

create view bench.product_usage as
select
    source, source_key, at as _loaded_at, source || number as customer_key,
    (array['installed', 'used', 'used', 'used', 'used', 'used', 'used', 'maintained', 'upgraded', 'removed'])[1 + floor(10 * luck)::int] as action,
    at as used_at
from bench.happened where kind between 0.86 and 0.91;

create view bench.subscriptions as
select
    source, source_key, at as _loaded_at, source || number as customer_key, source || number as subscription_key, 'box' as plan,
    (array['started', 'renewed', 'renewed', 'notice_given', 'notice_withdrawn', 'ended'])[1 + floor(6 * luck)::int] as event,
    at as occurred_at
from bench.happened where kind between 0.91 and 0.93;

create view bench.stage_changes as
select
    source, source_key, at as _loaded_at, source || number as customer_key, 'sales' as lifecycle,
    (array['lead', 'marketing_qualified', 'sales_qualified', 'opportunity', 'customer'])[1 + floor(5 * luck)::int] as stage,
    at as changed_at
from bench.happened where kind between 0.93 and 0.95;

create view bench.offer_redemptions as
select source, source_key, at as _loaded_at, source || number as customer_key, 'coupon' as kind, 5 as value, 'EUR' as currency, at as redeemed_at
from bench.happened where kind between 0.95 and 0.98;

create view bench.reviews as
select source, source_key, at as _loaded_at, source || number as customer_key, 1 + floor(5 * luck) as rating, at as reviewed_at
from bench.happened where kind >= 0.98;
