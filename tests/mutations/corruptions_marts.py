"""What a wrong model would do to the marts, after the raw gates have passed everything."""

from __future__ import annotations

from mutations.corruption import Corruption

MARTS: tuple[Corruption, ...] = (
    Corruption(
        "marts-01",
        "a join that multiplies",
        "marts",
        ("customers",),
        "large",
        "all customers are there twice",
        "a dimension gets a second row a key and nobody looks at the join",
        ("insert into {slot}.customers select * from {slot}.customers",),
    ),
    Corruption(
        "marts-02",
        "a join that loses",
        "marts",
        ("orders",),
        "large",
        "30 % of the orders are missing",
        "an inner join against a table that is not complete yet",
        ("delete from {slot}.orders where abs(hashtext(order_key)) % 10 < 3",),
    ),
    Corruption(
        "marts-03",
        "a unit forgotten in a model",
        "marts",
        ("orders.net_amount", "orders.gross_amount"),
        "large",
        "all orders are a hundred times as dear",
        "one of two models is moved to cents",
        ("update {slot}.orders set net_amount = net_amount * 100, gross_amount = gross_amount * 100",),
    ),
    Corruption(
        "marts-04",
        "two stages at once",
        "marts",
        ("stage_history.exited_at",),
        "large",
        "all stays that end last a day too long",
        "a half-open interval is read as a closed one",
        (
            "update {slot}.stage_history set exited_at = exited_at + interval '1 day' where exited_at is not null",
        ),
    ),
    Corruption(
        "marts-05",
        "a segment of everybody",
        "marts",
        ("segment_members",),
        "large",
        "all customers are champions",
        "a rule's comparison is turned round",
        (
            "insert into {slot}.segment_members (segment, customer_id, family) "
            "select 'value_champions', customer_id, 'value' from {slot}.customers as everybody "
            "where not exists (select from {slot}.segment_members as members where members.segment = 'value_champions' "
            "and members.customer_id = everybody.customer_id)",
            "update {slot}.segments set members = (select count(*) from {slot}.customers) "
            "where segment = 'value_champions'",
        ),
    ),
    Corruption(
        "marts-06",
        "addresses of the neighbour",
        "marts",
        ("customers.email",),
        "large",
        "every customer has the e-mail of the next one",
        "two lists are put side by side by position instead of by key",
        (
            "update {slot}.customers as mine set email = theirs.email from (select customer_id, "
            "lead(email) over (order by customer_id) as email from {slot}.customers) as theirs "
            "where theirs.customer_id = mine.customer_id",
        ),
    ),
    Corruption(
        "marts-07",
        "consent out of nothing",
        "marts",
        ("consents.is_granted", "consents.status"),
        "large",
        "everybody has granted everything",
        "a coalesce has the wrong default",
        ("update {slot}.consents set status = 'granted', is_granted = true",),
    ),
    Corruption(
        "marts-08",
        "stages of yesterday",
        "marts",
        ("customers.status_stage",),
        "medium",
        "a tenth of the customers stand in a stage that their history does not show",
        "an incremental model misses some of the changed customers",
        (
            "update {slot}.customers set status_stage = case status_stage when 'lost' then 'active' else 'lost' end "
            "where abs(hashtext(customer_id)) % 10 = 3",
        ),
    ),
    Corruption(
        "marts-09",
        "a week counted twice",
        "marts",
        ("daily_sales",),
        "medium",
        "the last seven days of sales are doubled",
        "late records are added to days that were counted already",
        (
            "update {slot}.daily_sales set net_revenue = net_revenue * 2, gross_revenue = gross_revenue * 2, "
            "orders = orders * 2 where date >= {as_of}::date - 7",
        ),
    ),
    Corruption(
        "marts-10",
        "holes in people's lives",
        "marts",
        ("stage_history",),
        "medium",
        "a tenth of the stays are missing",
        "a filter on the kind of event drops what it does not know",
        ("delete from {slot}.stage_history where abs(hashtext(customer_id || stage)) % 10 = 3",),
    ),
    Corruption(
        "marts-11",
        "customers without a value",
        "marts",
        ("customer_value.net_revenue",),
        "medium",
        "a tenth of the valued customers",
        "a sum over no rows is null",
        ("update {slot}.customer_value set net_revenue = null where abs(hashtext(customer_id)) % 10 = 3",),
    ),
    Corruption(
        "marts-12",
        "members who are gone",
        "marts",
        ("segment_members.customer_id",),
        "medium",
        "some 5 % of the members carry an id that was retired",
        "the segments are computed from a copy older than the last merge",
        (
            "update {slot}.segment_members set customer_id = 'retired-' || customer_id "
            "where abs(hashtext(customer_id)) % 20 = 3",
        ),
    ),
    Corruption(
        "marts-13",
        "one customer is missing",
        "marts",
        ("customers",),
        "small",
        "one customer",
        "a null in a comparison",
        ("delete from {slot}.customers where customer_id = (select max(customer_id) from {slot}.customers)",),
    ),
    Corruption(
        "marts-14",
        "a cent too much",
        "marts",
        ("orders.net_amount",),
        "small",
        "one order",
        "money is rounded before it is added",
        (
            "update {slot}.orders set net_amount = net_amount + 0.01 where order_key = "
            "(select max(order_key) from {slot}.orders where status = 'completed')",
        ),
    ),
    Corruption(
        "marts-15",
        "one stay too long",
        "marts",
        ("stage_history.exited_at",),
        "small",
        "one stay of one customer",
        "two events of the same instant are put in another order",
        (
            "update {slot}.stage_history set exited_at = exited_at + interval '1 second' "
            "where (customer_id, lifecycle, entered_at) = (select customer_id, lifecycle, entered_at "
            "from {slot}.stage_history as stays where exists (select from {slot}.stage_history as next "
            "where next.customer_id = stays.customer_id and next.lifecycle = stays.lifecycle "
            "and next.entered_at = stays.exited_at) order by 1, 2, 3 limit 1)",
        ),
    ),
    Corruption(
        "marts-16",
        "a customer's balance that does not add up",
        "marts",
        ("customers.net_revenue",),
        "small",
        "one customer has a dollar more than his orders",
        "a correction reaches one model and not the other",
        (
            "update {slot}.customers set net_revenue = net_revenue + 1 where customer_id = "
            "(select max(customer_id) from {slot}.customers where orders > 0)",
        ),
    ),
)
