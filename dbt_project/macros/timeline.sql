{#
  What the timeline takes from the input contract: for each table and time one entry, with the type of the event and
  what fills the timeline's columns. Left out is null, `where` is all rows, `key` is customer_key. docs/timeline.md tells
  the same in words, and lifehouse.lifecycles.rules knows the types.
#}
{% macro matters() -%}
    {%- set interaction -%}
        case when action in (
            'visit', 'view', 'cart', 'impression', 'ad_click', 'call', 'chat', 'store_visit', 'social'
        ) then action else 'interaction' end
    {%- endset -%}
    {%- set message -%}
        case when event in (
            'sent', 'delivered', 'opened', 'clicked', 'bounced', 'unsubscribed', 'complained'
        ) then 'message_' || event else 'message' end
    {%- endset -%}
    {{ return([
        {'table': 'campaign_targets', 'at': 'targeted_at', 'type': "'campaign_targeted'", 'campaign_key': 'campaign_key', 'detail': 'arm'},
        {'table': 'interactions', 'at': 'occurred_at', 'type': interaction, 'channel': 'channel', 'campaign_key': 'campaign_key',
         'product_key': 'product_key', 'value': 'duration_seconds', 'kind': 'interaction_source', 'detail': 'detail'},
        {'table': 'messages', 'at': 'occurred_at', 'type': message, 'channel': 'channel', 'campaign_key': 'campaign_key',
         'kind': 'message_key', 'detail': 'detail'},
        {'table': 'consents', 'at': 'changed_at', 'type': "'consent_' || status", 'channel': 'channel', 'detail': 'purpose'},
        {'table': 'offers', 'at': 'offered_at', 'type': "'offer_made'", 'amount': 'value', 'currency': 'currency',
         'campaign_key': 'campaign_key', 'kind': 'kind', 'detail': 'offer_key'},
        {'table': 'offer_redemptions', 'at': 'redeemed_at', 'type': "'offer_redeemed'", 'amount': 'value', 'currency': 'currency',
         'campaign_key': 'campaign_key', 'kind': 'kind', 'detail': 'offer_key'},
        {'table': 'stage_changes', 'at': 'changed_at', 'type': "'crm_stage'", 'kind': 'lifecycle', 'detail': 'stage'},
        {'table': 'opportunities', 'at': 'opened_at', 'type': "'opportunity_opened'", 'amount': 'amount', 'currency': 'currency',
         'channel': 'channel', 'product_key': 'product_key'},
        {'table': 'opportunities', 'at': 'closed_at', 'type': "'opportunity_' || outcome", 'where': "outcome in ('won', 'lost')",
         'amount': 'amount', 'currency': 'currency', 'channel': 'channel', 'product_key': 'product_key', 'detail': 'reason'},
        {'table': 'follow_ups', 'at': 'planned_at', 'type': "'follow_up_planned'", 'channel': 'channel', 'kind': 'purpose'},
        {'table': 'follow_ups', 'at': 'held_at', 'type': "'follow_up_held'", 'channel': 'channel', 'kind': 'purpose', 'detail': 'outcome'},
        {'table': 'tickets', 'at': 'opened_at', 'type': "'ticket_opened'", 'kind': 'kind', 'detail': 'topic'},
        {'table': 'tickets', 'at': 'first_answer_at', 'type': "'ticket_answered'", 'kind': 'kind', 'detail': 'topic'},
        {'table': 'tickets', 'at': 'solved_at', 'type': "'ticket_solved'", 'value': 'satisfaction', 'kind': 'kind', 'detail': 'topic'},
        {'table': 'survey_invitations', 'at': 'invited_at', 'type': "'survey_invited'", 'channel': 'channel', 'detail': 'survey'},
        {'table': 'survey_answers', 'at': 'answered_at', 'type': "'survey_answered'", 'value': 'score', 'kind': 'reason', 'detail': 'survey'},
        {'table': 'reviews', 'at': 'reviewed_at', 'type': "'review'", 'channel': 'channel', 'product_key': 'product_key', 'value': 'rating'},
        {'table': 'service_costs', 'at': 'incurred_at', 'type': "'service_cost'", 'amount': 'amount', 'currency': 'currency', 'kind': 'kind'},
        {'table': 'loyalty_entries', 'at': 'entered_at', 'type': "case kind when 'tier' then 'tier_changed' else 'points_' || kind end",
         'where': "kind in ('earned', 'redeemed', 'expired', 'adjusted', 'tier')", 'value': 'points', 'detail': 'tier'},
        {'table': 'referrals', 'at': 'referred_at', 'type': "'referral_made'", 'channel': 'channel'},
        {'table': 'referrals', 'at': 'converted_at', 'type': "'referral_converted'", 'channel': 'channel', 'amount': 'reward', 'currency': 'currency'},
        {'table': 'referrals', 'at': 'referred_at', 'type': "'referred'", 'key': 'referred_key', 'channel': 'channel'},
        {'table': 'subscriptions', 'at': 'occurred_at', 'type': "'subscription_' || event",
         'where': "event in ('started', 'renewed', 'notice_given', 'notice_withdrawn', 'ended')", 'amount': 'amount', 'currency': 'currency',
         'product_key': 'product_key', 'kind': 'plan', 'detail': 'reason'},
        {'table': 'product_usage', 'at': 'used_at', 'type': "'product_' || action",
         'where': "action in ('installed', 'used', 'maintained', 'upgraded', 'removed')", 'product_key': 'product_key',
         'value': 'quantity', 'kind': 'unit', 'detail': 'feature'},
    ]) }}
{%- endmacro %}

{# Which columns of the input contract name a person of the source: of each table its name and the column. #}
{% macro person_columns() -%}
    {{ return([
        ('profiles', 'customer_key'), ('consents', 'customer_key'), ('orders', 'customer_key'),
        ('campaign_targets', 'customer_key'), ('interactions', 'customer_key'), ('messages', 'customer_key'),
        ('offers', 'customer_key'), ('offer_redemptions', 'customer_key'), ('stage_changes', 'customer_key'),
        ('opportunities', 'customer_key'), ('follow_ups', 'customer_key'), ('tickets', 'customer_key'),
        ('survey_invitations', 'customer_key'), ('survey_answers', 'customer_key'), ('reviews', 'customer_key'),
        ('service_costs', 'customer_key'), ('loyalty_entries', 'customer_key'), ('referrals', 'customer_key'),
        ('referrals', 'referred_key'), ('subscriptions', 'customer_key'), ('product_usage', 'customer_key'),
    ]) }}
{%- endmacro %}

{#
  The events of all matters, as rows of the timeline for the customers in `refs`; with what was done under the cookies
  in `customer_cookies` before anybody said who it was.
#}
{% macro matter_events() -%}
    {%- for matter in lifehouse.matters() %}
    {{ 'union all' if not loop.first }}
    select
        refs.customer_id,
        {{ lifehouse.matter_columns(matter) }}
    from refs
    inner join {{ ref('contract_' ~ matter.table) }} as records
        on refs.source = records.source and refs.customer_key = records.{{ matter.get('key', 'customer_key') }}
    {{ 'where ' ~ matter.where if matter.where }}
    {%- if matter.table == 'interactions' %}
    union all
    select
        customer_cookies.customer_id,
        {{ lifehouse.matter_columns(matter) }}
    from customer_cookies
    inner join {{ ref('contract_' ~ matter.table) }} as records
        on customer_cookies.cookie = records.cookie and records.customer_key is null
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{% macro matter_columns(matter) -%}
    records.{{ matter.at }}, {{ matter.type }}, records.source, records.source_key
    {%- for field in ['amount', 'currency', 'channel', 'campaign_key', 'product_key', 'value', 'kind', 'detail'] -%}
        , {{ matter.get(field, 'null') }}
    {%- endfor -%}
{%- endmacro %}

{# Every key of a person that the contract names. #}
{% macro record_keys() -%}
    {%- for table, column in lifehouse.person_columns() %}
    select source, {{ column }} as customer_key
    from {{ ref('contract_' ~ table) }}
    where {{ column }} is not null
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
