-- A small, sound slot and the contract it was built from: two customers, three orders, one lifecycle.
create schema {slot};

create table {slot}.customers (customer_id text);
insert into {slot}.customers values ('c1'), ('c2');

create table {slot}.customer_value (customer_id text);
insert into {slot}.customer_value values ('c1');

create table {slot}.lifecycle_stages (lifecycle text, stage text);
insert into {slot}.lifecycle_stages values ('status', 'new'), ('status', 'lost');

create table {slot}.stage_history (customer_id text, lifecycle text, stage text, entered_at timestamptz, exited_at timestamptz);
insert into {slot}.stage_history values
    ('c1', 'status', 'new', '2026-01-01', '2026-03-01'),
    ('c1', 'status', 'lost', '2026-03-01', null),
    ('c2', 'status', 'new', '2026-01-05', null);

create table {slot}.orders (source text, order_key text, customer_id text, net_amount numeric, currency text);
insert into {slot}.orders values
    ('shop', '1', 'c1', 10.10, 'EUR'), ('shop', '2', 'c1', 20.20, 'EUR'), ('shop', '3', null, 5, 'EUR');

create table {slot}.sales_totals (
    source text, currency text, orders bigint, refund_orders bigint, cancelled_orders bigint,
    lines bigint, net_revenue numeric, cancelled_amount numeric
);
insert into {slot}.sales_totals values ('shop', 'EUR', 2, 0, 1, 4, 30.30, 5);

create table {slot}.segments (segment text, owner text, meaning text, members bigint);
insert into {slot}.segments values ('fans', 'crm', 'those who buy', 1);

create table {slot}.segment_members (segment text, customer_id text);
insert into {slot}.segment_members values ('fans', 'c1');
