"""What happens to a shop's database between two nights."""

from __future__ import annotations

from mutations.corruption import Corruption

_NIGHT = "updated_at >= {since} and updated_at < {until}"
_TOUCHED = "updated_at = {until}::timestamptz - interval '10 minutes'"
#: A database that was restored without its constraints keeps none of its promises.
_OPEN_LINES = (
    "alter table order_lines drop constraint order_lines_pkey",
    "alter table order_lines alter order_id drop not null",
)

SHOP: tuple[Corruption, ...] = (
    Corruption(
        "shop-01",
        "swapped columns",
        "shop",
        ("customers.email", "customers.phone"),
        "large",
        "all customers",
        "an import maps e-mail and phone the wrong way round",
        (f"update customers set email = phone, phone = email, {_TOUCHED}",),
    ),
    Corruption(
        "shop-02",
        "a shifted time zone",
        "shop",
        ("orders.ordered_at",),
        "large",
        "all orders of the night",
        "the tills' clock is local time again and is written down as UTC",
        (f"update orders set ordered_at = ordered_at - interval '5 hours' where {_NIGHT}",),
    ),
    Corruption(
        "shop-03",
        "doubled rows under new keys",
        "shop",
        ("orders", "order_lines"),
        "large",
        "all orders and lines of the night, once more",
        "a till's spool is replayed and every receipt gets a second number",
        (
            "insert into order_lines select order_id + 90000000000, line_no, product_id, quantity, unit_price, "
            "loyalty_discount, coupon_discount, coupon_match_discount, amount, currency, updated_at from order_lines "
            f"where {_NIGHT} and order_id in (select order_id from orders where {_NIGHT})",
            "insert into orders select order_id + 90000000000, customer_id, store_id, ordered_at, status, channel, "
            f"currency, created_at, updated_at from orders where {_NIGHT}",
        ),
    ),
    Corruption(
        "shop-04",
        "a lost day",
        "shop",
        ("orders", "order_lines"),
        "large",
        "all orders and lines of the night are missing",
        "the tills' transfer fails while everything else goes on",
        (f"delete from order_lines where {_NIGHT}", f"delete from orders where {_NIGHT}"),
    ),
    Corruption(
        "shop-05",
        "cents for dollars",
        "shop",
        ("order_lines.amount", "order_lines.unit_price"),
        "large",
        "all lines of the night",
        "a release of the shop counts money in cents",
        (f"update order_lines set amount = amount * 100, unit_price = unit_price * 100 where {_NIGHT}",),
    ),
    Corruption(
        "shop-06",
        "nulls in a key",
        "shop",
        ("order_lines.order_id",),
        "large",
        "60 % of the night's lines",
        "receipts are written before their header has a number",
        (*_OPEN_LINES, f"update order_lines set order_id = null where {_NIGHT} and product_id % 10 < 6"),
    ),
    Corruption(
        "shop-07",
        "a truncated table",
        "shop",
        ("order_lines",),
        "large",
        "60 % of the night's lines are missing; the orders are whole",
        "a copy job dies half-way through the lines",
        (
            f"delete from order_lines where {_NIGHT} and order_id > (select percentile_disc(0.4) within group "
            f"(order by order_id) from order_lines where {_NIGHT})",
        ),
    ),
    Corruption(
        "shop-08",
        "a currency that changes its name",
        "shop",
        ("orders.currency", "order_lines.currency"),
        "large",
        "all orders and lines of the night",
        "the shop's new release writes US$ for USD",
        (
            f"update orders set currency = 'US$' where {_NIGHT}",
            f"update order_lines set currency = 'US$' where {_NIGHT}",
        ),
    ),
    Corruption(
        "shop-09",
        "numbers become text",
        "shop",
        ("order_lines.amount",),
        "large",
        "the column, with a decimal comma",
        "the shop's table is migrated by way of a spreadsheet",
        ("alter table order_lines alter amount type text using replace(amount::text, '.', ',')",),
    ),
    Corruption(
        "shop-10",
        "a lost column",
        "shop",
        ("orders.customer_id",),
        "large",
        "the column is gone",
        "the shop moves the customer into a table of its own",
        ("alter table orders drop customer_id",),
    ),
    Corruption(
        "shop-11",
        "all amounts zero",
        "shop",
        ("order_lines.amount",),
        "large",
        "all lines of the night",
        "the price service is down and the tills book nothing",
        (f"update order_lines set amount = 0 where {_NIGHT}",),
    ),
    Corruption(
        "shop-12",
        "everything on one customer",
        "shop",
        ("orders.customer_id",),
        "large",
        "all orders of the night",
        "a till logs on as the training customer and never off",
        (f"update orders set customer_id = (select min(customer_id) from customers) where {_NIGHT}",),
    ),
    Corruption(
        "shop-13",
        "orders of nobody",
        "shop",
        ("orders.customer_id",),
        "large",
        "all orders of the night",
        "the customers are numbered anew and only the orders know it",
        (f"update orders set customer_id = customer_id + 1000000 where {_NIGHT}",),
    ),
    Corruption(
        "shop-14",
        "keys used again",
        "shop",
        ("orders.order_id",),
        "large",
        "all orders of the night overwrite old ones",
        "a sequence starts from one again after a move",
        (
            "create temporary table fresh as select row_number() over (order by order_id) as n, orders.* "
            f"from orders where {_NIGHT}",
            f"delete from order_lines where {_NIGHT}",
            "delete from orders where order_id in (select order_id from fresh)",
            "update orders set customer_id = fresh.customer_id, ordered_at = fresh.ordered_at, "
            "store_id = fresh.store_id, created_at = fresh.created_at, updated_at = fresh.updated_at from fresh "
            "inner join (select order_id, row_number() over (order by order_id) as n from orders) as old "
            "on old.n = fresh.n where orders.order_id = old.order_id",
        ),
    ),
    Corruption(
        "shop-15",
        "dates of next year",
        "shop",
        ("orders.ordered_at",),
        "large",
        "all orders of the night",
        "a till's battery is changed and the year set wrongly",
        (f"update orders set ordered_at = ordered_at + interval '1 year' where {_NIGHT}",),
    ),
    Corruption(
        "shop-16",
        "a test run in production",
        "shop",
        ("orders",),
        "large",
        "ten times the night's orders",
        "a load test is pointed at the wrong database",
        (
            "insert into orders select order_id + n * 1000000000000, customer_id, store_id, ordered_at, status, "
            "channel, currency, created_at, updated_at from orders, generate_series(1, 9) as n "
            f"where {_NIGHT}",
        ),
    ),
    Corruption(
        "shop-17",
        "mixed encodings",
        "shop",
        ("customers.first_name", "customers.last_name"),
        "large",
        "all customers",
        "UTF-8 is read as Latin-1 on the way through an interface, and written back",
        (
            "update customers set first_name = replace(replace(first_name, 'a', 'Ã¡'), 'e', 'Ã©'), "
            f"last_name = replace(replace(last_name, 'a', 'Ã¡'), 'o', 'Ã¶'), {_TOUCHED}",
        ),
    ),
    Corruption(
        "shop-18",
        "a silent source",
        "shop",
        ("customers", "orders", "order_lines"),
        "large",
        "nothing of the night, in any table",
        "the replica that is read stopped following its primary",
        (
            f"delete from order_lines where {_NIGHT}",
            f"delete from orders where {_NIGHT}",
            f"delete from coupon_redemptions where {_NIGHT}",
            f"update customers set updated_at = created_at where {_NIGHT} and created_at < {{since}}",
            f"delete from customers where {_NIGHT}",
        ),
    ),
    Corruption(
        "shop-19",
        "a till counted twice",
        "shop",
        ("order_lines",),
        "medium",
        "a tenth of the night's lines, once more on the same receipts",
        "one till sends its buffer again",
        (
            "insert into order_lines select order_id, line_no + 500, product_id, quantity, unit_price, "
            "loyalty_discount, coupon_discount, coupon_match_discount, amount, currency, updated_at "
            f"from order_lines where {_NIGHT} and order_id in (select order_id from orders where store_id % 10 = 3)",
        ),
    ),
    Corruption(
        "shop-20",
        "a slipped decimal point",
        "shop",
        ("order_lines.amount",),
        "medium",
        "a tenth of the night's lines are ten times as dear",
        "one supplier's price list has a comma in the wrong place",
        (f"update order_lines set amount = amount * 10 where {_NIGHT} and product_id % 10 = 3",),
    ),
    Corruption(
        "shop-21",
        "orders without a customer",
        "shop",
        ("orders.customer_id",),
        "medium",
        "some 5 to 10 % of the night's orders",
        "one store's card reader is broken",
        (
            "alter table orders alter customer_id drop not null",
            f"update orders set customer_id = null where {_NIGHT} and customer_id % 20 = 7",
        ),
    ),
    Corruption(
        "shop-22",
        "a lost hour",
        "shop",
        ("orders", "order_lines"),
        "medium",
        "what was sold in one hour of the afternoon is missing",
        "the line to the stores is down for a while",
        (
            f"delete from order_lines where {_NIGHT} and order_id in (select order_id from orders "
            "where extract(hour from ordered_at) = 20)",
            f"delete from orders where {_NIGHT} and extract(hour from ordered_at) = 20",
        ),
    ),
    Corruption(
        "shop-23",
        "one card for many",
        "shop",
        ("customers.loyalty_card",),
        "medium",
        "30 customers",
        "clerks swipe the store's own card for people who left theirs at home",
        (
            f"update customers set loyalty_card = '4499999999', {_TOUCHED} where customer_id in "
            "(select customer_id from customers order by customer_id limit 30)",
        ),
    ),
    Corruption(
        "shop-24",
        "a brand that changes its name",
        "shop",
        ("products.brand",),
        "medium",
        "a twentieth of the products",
        "the catalogue's editors write Private Label for Private",
        (
            f"update products set brand = 'Private Label', {_TOUCHED} where brand = 'Private' "
            "and product_id % 3 = 0",
        ),
    ),
    Corruption(
        "shop-25",
        "one order of a million",
        "shop",
        ("order_lines.amount",),
        "small",
        "one line",
        "a clerk scans the product's number into the price",
        (
            "update order_lines set amount = 1000000 where (order_id, line_no) = (select order_id, line_no "
            f"from order_lines where {_NIGHT} order by order_id, line_no limit 1)",
        ),
    ),
    Corruption(
        "shop-26",
        "two orders of tomorrow",
        "shop",
        ("orders.ordered_at",),
        "small",
        "two orders",
        "one till's clock runs a day ahead",
        (
            "update orders set ordered_at = ordered_at + interval '1 day' where order_id in (select order_id "
            f"from orders where {_NIGHT} order by order_id limit 2)",
        ),
    ),
    Corruption(
        "shop-27",
        "a stranger's e-mail",
        "shop",
        ("customers.email",),
        "small",
        "two customers who are made one",
        "a clerk types the address of the person before into the next one's form",
        (
            "update customers set email = (select email from customers where email is not null "
            f"order by customer_id limit 1), {_TOUCHED} "
            "where customer_id = (select max(customer_id) from customers)",
        ),
    ),
    Corruption(
        "shop-28",
        "a receipt on the wrong customer",
        "shop",
        ("orders.customer_id",),
        "small",
        "two orders",
        "two people at the till take each other's card",
        (
            "update orders set customer_id = (select max(customer_id) from customers) where order_id in "
            f"(select order_id from orders where {_NIGHT} order by order_id desc limit 2)",
        ),
    ),
)
