# ruff: noqa: E501  statements of SQL, one a line
"""What can be wrong with a slot: SQL, and the subject and name of the rule that must see it. Each kind is one judgement."""

from __future__ import annotations

Damage = tuple[str, str, str]

_HISTORY, _ORDERS, _CUSTOMERS = "stage_history", "orders", "customers"
_NOBODY = "customer_id known in customers"
_NEW = "ordered_at >= '2024-02-01'"


def _first(mart: str, where: str = "true") -> str:
    return f"ctid = (select ctid from {{slot}}.{mart} where {where} limit 1)"


def _also(subject: str, name: str) -> Damage:
    """One more rule that must see what the kind's other statements did."""
    return ("select 1", subject, name)


DAMAGES: dict[str, list[Damage]] = {
    "an overlap": [
        (
            "insert into {slot}.stage_history select customer_id, lifecycle, stage, stage_order, entered_at + interval '1 hour', "
            "exited_at + interval '1 hour', cause_type, cause_event_type, cause_event_id, window_days from {slot}.stage_history "
            f"where {_first(_HISTORY, 'exited_at is not null')}",
            _HISTORY,
            "no overlap",
        )
    ],
    "a gap": [
        (
            f"update {{slot}}.stage_history set exited_at = exited_at - interval '1 second' where {_first(_HISTORY, 'exited_at is not null')}",
            _HISTORY,
            "no gap",
        )
    ],
    "an end of life": [
        ("update {slot}.stage_history set exited_at = 'infinity' where exited_at is null", _HISTORY, "no gap")
    ],
    "stages of all kinds": [
        (
            "update {slot}.stage_history set exited_at = entered_at where "
            + _first(_HISTORY, "cause_type = 'event' and lifecycle = 'status'"),
            _HISTORY,
            "forward in time",
        ),
        (
            "update {slot}.stage_history set stage = 'new', stage_order = 2 where lifecycle = 'status' and customer_id in "
            "(select customer_id from {slot}.stage_history where lifecycle = 'status' group by 1 having count(*) > 1)",
            _HISTORY,
            "moves lead elsewhere",
        ),
        (
            "update {slot}.stage_history set entered_at = '-infinity' where cause_type = 'start'",
            _HISTORY,
            "possible times",
        ),
        _also(_HISTORY, "possible times, nearly"),
        (
            "update {slot}.stage_history set stage = 'newish' where cause_type = 'window'",
            _HISTORY,
            "stages declared",
        ),
        (
            "delete from {slot}.stage_history where lifecycle = 'crm' and customer_id = (select min(customer_id) from {slot}.customers)",
            _HISTORY,
            "every lifecycle",
        ),
        (
            "insert into {slot}.stage_history select customer_id, 'recorded_sales', 'lead', 1, entered_at, null, 'record', 'crm_stage', "
            "'e', null from {slot}.stage_history where cause_type = 'start' limit 1",
            _HISTORY,
            "as recorded",
        ),
        (
            "insert into {slot}.lifecycle_stages (lifecycle, lifecycle_label_en, lifecycle_label_zh, stage, stage_order, label_en, "
            "label_zh, is_recorded) select 'recorded_sales', 's', 's', stage, place, stage, stage, true "
            "from (values ('lead', 1), ('limbo', null)) as told (stage, place)",
            _HISTORY,
            "recorded stages have a place",
        ),
        (
            "insert into {slot}.stage_history select 'nobody', lifecycle, stage, stage_order, entered_at, exited_at, cause_type, "
            "cause_event_type, cause_event_id, window_days from {slot}.stage_history limit 1",
            _HISTORY,
            _NOBODY,
        ),
        (
            "insert into {slot}.stage_history select * from {slot}.stage_history limit 1",
            _HISTORY,
            "key (customer_id, lifecycle, entered_at)",
        ),
        (
            "update {slot}.stage_history set cause_type = 'fate' where stage = 'newish'",
            _HISTORY,
            "allowed values",
        ),
        (
            "update {slot}.stage_history set cause_event_id = null where stage = 'newish'",
            _HISTORY,
            "required values",
        ),
    ],
    "customers lost and invented": [
        (f"delete from {{slot}}.customers where {_first(_CUSTOMERS)}", _CUSTOMERS, "nobody lost"),
        _also(_CUSTOMERS, "nobody vanished"),
        (
            "insert into {slot}.customers select * from {slot}.customers limit 1;"
            "update {slot}.customers set customer_id = 'nobody' where " + _first(_CUSTOMERS),
            _CUSTOMERS,
            "customer_id known in customer_refs",
        ),
        (
            "insert into {slot}.customers select * from {slot}.customers limit 1",
            _CUSTOMERS,
            "key (customer_id)",
        ),
    ],
    "customers' own facts": [
        (
            "update {slot}.customers set last_order_at = first_order_at - interval '1 day' where orders > 0",
            _CUSTOMERS,
            "orders in order",
        ),
        ("update {slot}.customers set status_stage = 'lost'", _CUSTOMERS, "status stage right"),
        ("update {slot}.customers set crm_stage = null", _CUSTOMERS, "crm stage right"),
        (
            f"update {{slot}}.customers set first_seen_at = null where {_first(_CUSTOMERS)}",
            _CUSTOMERS,
            "a life for each",
        ),
        (
            f"update {{slot}}.customers set net_revenue = net_revenue + 0.01 where {_first(_CUSTOMERS)}",
            _CUSTOMERS,
            "revenue is that of the orders",
        ),
    ],
    "addresses of the neighbour, and consent out of nothing": [
        (
            "update {slot}.customers set email = 'p6@example.com' where email <> 'p6@example.com'",
            _CUSTOMERS,
            "addresses are theirs",
        ),
        (
            "update {slot}.consents set status = 'granted', is_granted = true",
            "consents",
            "consents are those given",
        ),
        _also(_CUSTOMERS, "consents are theirs"),
        (
            "insert into {slot}.segment_members (segment, customer_id, family) select 'value_champions', customer_id, 'value' from {slot}.customers on conflict do nothing",
            "segment_members",
            "members of their value",
        ),
    ],
    "nobody at all": [("delete from {slot}.customers", _CUSTOMERS, "not empty")],
    "gone with their records": [
        (
            "delete from {slot}.customers where customer_id = (select customer_id from core.customer_refs where customer_key = 'p3');"
            "delete from core.customer_refs where customer_key = 'p3'",
            _CUSTOMERS,
            "gone with their records",
        ),
        _also("core.customer_refs", "records belong to customers"),
        _also("core.customer_refs", "identifiers belong to customers"),
        (
            "update core.customer_refs set customer_id = 'nobody' where customer_key = 'p4'",
            "core.customer_refs",
            "customers registered",
        ),
        _also("customer_identifiers", "records in one place"),
    ],
    "an identity that swallows a town": [
        (
            "update core.customer_refs set customer_id = (select min(customer_id) from core.customer_refs) "
            "where customer_key < 'p6';"
            "insert into {slot}.customer_merges (retired_id, customer_id, cause, merged_as_of) "
            "select served.customer_id, (select min(customer_id) from core.customer_refs), 'email', '2024-02-02' "
            "from {served}.customers as served where not exists (select from core.customer_refs as refs where refs.customer_id = served.customer_id);"
            "delete from {slot}.customers as gone using {slot}.customer_merges as merges where gone.customer_id = merges.retired_id",
            "customer_identifiers",
            "largest customer",
        ),
        _also("customer_identifiers", "largest customer's growth"),
        _also("customer_merges", "merged in one night"),
        _also("customer_merges", "merged in one night, many"),
    ],
    "identifiers that join nobody any more": [
        (
            "update {slot}.customer_identifiers set is_matched_on = false, not_matched_because = 'shared by too many records' "
            "where identifier_kind = 'email'",
            "customer_identifiers",
            "newly over-shared identifiers",
        ),
        _also("customer_identifiers", "identifiers matched on"),
        _also("customer_identifiers", "identifiers matched on, nearly"),
    ],
    "who belongs to themselves": [
        (
            "update {slot}.customers set belongs_to_customer_id = customer_id",
            _CUSTOMERS,
            "belongs to a group",
        ),
    ],
    "merges that lead nowhere": [
        (
            "insert into {slot}.customer_merges (retired_id, customer_id, cause, merged_as_of) "
            "select min(customer_id), 'nobody', 'email', '2024-02-02' from {slot}.customers",
            "customer_merges",
            "customer_id known in customers",
        ),
        _also("customer_merges", "the retired are gone"),
    ],
    "a cent too much": [
        (
            "update {slot}.sales_totals set net_revenue = net_revenue + 0.01",
            "sales_totals",
            "revenue reconciled",
        )
    ],
    "orders doubled": [
        ("insert into {slot}.orders select * from {slot}.orders", _ORDERS, "key (source, order_key)"),
        _also(_ORDERS, "size near the published release's"),
        _also("sales_totals", "orders reconciled"),
        _also("sales_totals", "lines reconciled"),
        _also("sales_totals", "customers' sales reconciled"),
        _also("sales_totals", "guests reconciled"),
        _also("daily_sales", "days add up"),
    ],
    "orders of all kinds": [
        (
            "update {slot}.orders set customer_id = 'nobody' where " + _first(_ORDERS, "not is_guest"),
            _ORDERS,
            _NOBODY,
        ),
        (
            "update {slot}.orders set is_guest = not is_guest where " + _first(_ORDERS),
            _ORDERS,
            "guests told apart",
        ),
        (
            "update {slot}.orders set net_amount = net_amount + 1 where " + _first(_ORDERS),
            _ORDERS,
            "sums right",
        ),
        ("update {slot}.orders set currency = 'EURO' where " + _first(_ORDERS), _ORDERS, "known currencies"),
        (
            "update {slot}.orders set currency = 'XXX' where ctid in (select ctid from {slot}.orders where currency = 'EUR' limit 60)",
            _ORDERS,
            "amounts have a currency",
        ),
        _also(_ORDERS, "amounts have a currency, nearly"),
        _also(_ORDERS, "currencies of the sources"),
        _also(_ORDERS, "currencies of the sources, suddenly"),
        (
            "update {slot}.orders set ordered_at = '1970-01-01' where ctid in (select ctid from {slot}.orders where ordered_at < '2024-02-01' limit 60)",
            _ORDERS,
            "possible times",
        ),
        _also(_ORDERS, "possible times, nearly"),
        ("update {slot}.orders set status = 'lost' where " + _first(_ORDERS), _ORDERS, "allowed values"),
    ],
    "lines without an order": [
        (
            "create table contract.found as select * from contract.orders where source_key not like '2024-01-1%';"
            "drop view contract.orders cascade; alter table contract.found rename to orders;"
            "delete from {slot}.orders where order_key like '2024-01-1%'",
            "sales_totals",
            "lines without an order",
        ),
        _also("sales_totals", "lines without an order, nearly"),
    ],
    "lines in another currency": [
        (
            "create table contract.found as select * from contract.order_lines;"
            "update contract.found set currency = 'USD' where order_key like '2024-01-1%';"
            "drop view contract.order_lines cascade; alter table contract.found rename to order_lines",
            "sales_totals",
            "revenue reconciled by currency",
        ),
    ],
    "money cut otherwise": [
        (
            "update {slot}.customer_value set net_revenue = net_revenue + 1",
            "customer_value",
            "value is that of the customer",
        ),
        (
            "update {slot}.customer_value set recency_score = 6 where " + _first("customer_value"),
            "customer_value",
            "scores from 1 to 5",
        ),
        (
            "update {slot}.customer_value set customer_id = 'nobody' where " + _first("customer_value"),
            "customer_value",
            _NOBODY,
        ),
        (
            "update {slot}.customer_sales set customer_id = 'nobody' where " + _first("customer_sales"),
            "customer_sales",
            _NOBODY,
        ),
        (
            "update {slot}.refund_matches set matched_amount = matched_amount - 1 where "
            + _first("refund_matches"),
            "refund_matches",
            "no more than was returned",
        ),
        (
            "update {slot}.refund_matches set customer_id = 'nobody' where " + _first("refund_matches"),
            "refund_matches",
            _NOBODY,
        ),
        _also("refund_matches", "refunds matched or not"),
    ],
    "campaigns": [
        (
            "insert into {slot}.campaign_results (source, campaign_key, state, targeted, held_out, redeemers, redemptions, "
            "redemptions_by_others, responders, orders, net_revenue, comparison, currency, orders_left_out) "
            "values ('tiny', 'spring', 'ended', 1, 0, 0, 0, 0, 2, 5, 10, 'not enough', 'EUR', 0)",
            "campaign_results",
            "campaign_key known in campaigns",
        ),
        _also("campaign_results", "responders were targeted"),
        _also("campaign_results", "results add up"),
    ],
    "segments": [
        ("update {slot}.segments set members = members + 1", "segments", "sizes right"),
        ("update {slot}.segments set owner = null where " + _first("segments"), "segments", "described"),
        (
            "update {slot}.segment_members set customer_id = 'nobody' where " + _first("segment_members"),
            "segment_members",
            _NOBODY,
        ),
        (
            "update {slot}.segment_members set segment = 'friends' where ctid in (select ctid from {slot}.segment_members limit 3)",
            "segment_members",
            "segment known in segments",
        ),
        (
            "update {slot}.segment_members set segment = 'status_lost' where segment like 'status%'",
            "segment_members",
            "members of their stage",
        ),
        (
            "update {slot}.consents set customer_id = 'nobody' where " + _first("consents"),
            "consents",
            _NOBODY,
        ),
    ],
    "care out of joint": [
        (
            "insert into {slot}.loyalty (customer_id, entered_at, exited_at, tier, earned, redeemed, expired, adjusted, "
            "redemptions, balance) values ('nobody', '2024-01-01', '2024-01-02', 'gold', 5, 9, 0, 0, 1, -3)",
            "loyalty",
            "balance is the sum of the entries",
        ),
        _also("loyalty", "tiers follow one another"),
        _also("loyalty", "no points lost"),
        _also("loyalty", "accounts not overdrawn"),
        (
            "insert into {slot}.loyalty (customer_id, entered_at, earned, redeemed, expired, adjusted, redemptions, balance) "
            "select 'nobody' || i, '2024-01-01', 0, 1, 0, 0, 1, -1 from generate_series(1, 30) as i",
            "loyalty",
            "accounts not overdrawn, nearly",
        ),
        _also("loyalty", _NOBODY),
        (
            "insert into {slot}.referrals (source, referral_key, customer_id, referred_at, converted_at, rewarded_at, state, reward) "
            "select 'tiny', i::text, 'nobody', '2024-01-03', '2024-01-02', '2024-01-01', 'open', 5 from generate_series(1, 30) as i",
            "referrals",
            "no referral from the time to come",
        ),
        _also("referrals", "one thing after the other"),
        _also("referrals", "one thing after the other, nearly"),
        _also("referrals", "rewards have a currency"),
        _also("referrals", _NOBODY),
        (
            "insert into {slot}.follow_ups (source, follow_up_key, customer_id, planned_at, due_at, held_at, state) "
            "values ('tiny', '1', 'nobody', '2024-01-03', '2024-01-04', '2024-01-05', 'overdue')",
            "follow_ups",
            "states say what happened",
        ),
        _also("follow_ups", _NOBODY),
        (
            "insert into {slot}.service (month, kind, topic, tickets, answered, solved, open_tickets, judged, cost, currency, "
            "costs_left_out) values ('2024-01-01', 'question', 'tea', 1, 2, 1, 0, 1, 0, 'EUR', 0)",
            "service",
            "tickets add up",
        ),
        _also("service", "every ticket counted"),
        (
            "alter view contract.tickets rename to tickets_as_built; create view contract.tickets as "
            "select made.* from generate_series(1, 30) as i cross join lateral jsonb_populate_record("
            "null::contract.tickets_as_built, jsonb_build_object('source', 'tiny', 'source_key', i::text, "
            "'opened_at', '2024-01-02', 'first_answer_at', '2024-01-01')) as made; "
            "grant select on contract.tickets to public",
            "service",
            "answered after being opened",
        ),
        _also("service", "answered after being opened, nearly"),
        (
            "insert into {slot}.satisfaction (month, survey, invited, responded, response_rate, answers, scored, promoters, "
            "detractors, nps) values ('2024-01-01', 'nps', 1, 2, 1, 2, 2, 1, 0, 99)",
            "satisfaction",
            "answers add up",
        ),
        _also("satisfaction", "every answer counted"),
        ("update {slot}.cohorts set customers = customers + 1", "cohorts", "cohorts add up"),
        _also("cohorts", "everybody in one cohort"),
        (
            "insert into {slot}.churn_reasons (month, said_in, reason, side, mentions, customers) "
            "values ('2024-01-01', 'survey', 'price', 'company', 1, 2)",
            "churn_reasons",
            "reasons add up",
        ),
    ],
    "metrics out of joint": [
        (
            "update {slot}.stage_metrics set customers = customers + 1",
            "stage_metrics",
            "as many as the history has",
        ),
        ("update {slot}.stage_metrics set share = 2", "stage_metrics", "stages add up"),
        (
            "update {slot}.stage_metrics_by_period set entered = entered + 1 where period = 'month'",
            "stage_metrics_by_period",
            "periods add up",
        ),
        (
            "update {slot}.stage_metrics_by_period set customers = customers + 1000 where period = 'day'",
            "stage_metrics_by_period",
            "periods end where stages stand",
        ),
        (
            "insert into {slot}.journey_gaps (lifecycle, rank, from_stage, to_stage, gap, customers, customers_onward, share, "
            "worth_onward, worth_dropped, value_lost, currency, orders_left_out) "
            "values ('status', 99, 'new', 'lost', 'moved away', 3, 1, 0.5, 20, 10, 31, 'EUR', 0)",
            "journey_gaps",
            "gaps add up",
        ),
        (
            "update {slot}.acquisition_by_channel set customers_won = customers_won + 1",
            "acquisition_by_channel",
            "everybody is won once",
        ),
        (
            "update {slot}.acquisition_by_channel set net_revenue_per_customer = -5",
            "acquisition_by_channel",
            "acquisition adds up",
        ),
    ],
    "stages jump": [
        (
            "update {slot}.stage_history set stage = 'lost' where lifecycle = 'status' and entered_at <= '2024-02-02' "
            "and (exited_at is null or exited_at > '2024-02-02')",
            _HISTORY,
            "stages move",
        ),
        _also(_HISTORY, "stages move, much"),
    ],
    "a segment empties": [
        (
            "update {served}.segments set members = 2000 where "
            + _first("segments", "family = 'lifecycle'").replace("{slot}", "{served}"),
            "segments",
            "segments grow or shrink",
        ),
        _also("segments", "segments grow or shrink, much"),
    ],
    "people change": [
        (
            "update {slot}.customers set consent_email = true, consent_sms = true, email = null, phone = null, orders_left_out = 1",
            _CUSTOMERS,
            "consent to e-mail",
        ),
        *(
            _also(_CUSTOMERS, name + much)
            for name in (
                *("consent to e-mail", "consent to text messages", "customers with an address"),
                "customers in the reporting currency",
            )
            for much in ("", ", much")
        ),
    ],
    "cents for euros": [
        (
            f"update {{slot}}.orders set net_amount = net_amount * 100 where {_NEW}",
            _ORDERS,
            "amounts of the new orders",
        ),
        _also(_ORDERS, "amounts of the new orders, much"),
    ],
    "a shifted time zone": [
        (
            f"update {{slot}}.orders set ordered_at = ordered_at - interval '7 hours' where {_NEW}",
            _ORDERS,
            "hours of the new orders",
        ),
        _also(_ORDERS, "hours of the new orders, much"),
    ],
    "a rewritten past": [
        (
            "update {slot}.orders set net_amount = net_amount * 2 where ordered_at < '2024-02-01'",
            _ORDERS,
            "revenue of the past",
        ),
        _also(_ORDERS, "revenue of the past, much"),
    ],
    "records out of the books": [
        (
            """update control.runs set late_details = '[{"source": "tiny", "holds": true, "sentence": "tiny did not come"}]'""",
            "control.runs",
            "required sources in time",
        ),
        (
            "alter table control.load_tables drop constraint load_tables_check; update control.load_tables set received = received + 1",
            "control.load_tables",
            "records accounted for",
        ),
        ("delete from raw_tiny.lines where _load_id = 2", "control.load_tables", "records kept"),
    ],
    "records smuggled in": [
        (
            "insert into raw_tiny.lines overriding system value select * from raw_tiny.lines where _load_id = 2 limit 1",
            "control.load_tables",
            "records added",
        ),
    ],
    "rows lost on the way": [
        (
            "delete from staging.stg_tiny__order_lines where order_key = '2024-02-01-5'",
            "staging.records",
            "nothing lost on the way",
        ),
    ],
    "other code, another history": [
        (
            "update control.releases set fingerprint = 'other';"
            "update {slot}.stage_history set entered_at = entered_at - interval '1 hour', exited_at = exited_at - interval '1 hour'",
            _HISTORY,
            "history as served",
        ),
        _also(_HISTORY, "history as served, mostly"),
        (
            "update {slot}.orders set channel = 'web', ordered_at = ordered_at - interval '1 hour'",
            _ORDERS,
            "history as served",
        ),
        _also(_ORDERS, "history as served, mostly"),
    ],
}
