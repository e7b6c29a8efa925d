-- What the marts of marts.sql were built from.
create table contract.orders as
select 'shop' as source, n::text as source_key from generate_series(1, 3) as n;

create table contract.order_lines as
select 'shop' as source, amount from (values (10.10), (20.20), (2), (3)) as lines (amount);

insert into core.customer_refs values ('shop', '1', 'c1'), ('shop', '2', 'c2');

create schema raw_shop;
create table raw_shop.orders as select load_id as _load_id from control.loads, generate_series(1, 3);
create table quarantine.shop_orders as select load_id from control.loads;
insert into control.load_tables (load_id, table_name, received, loaded, unchanged, quarantined)
select load_id, 'orders', 6, 3, 2, 1 from control.loads;
