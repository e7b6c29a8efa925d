-- The shop's own database, as an operational shop would hold it.
create table customers (
    customer_id bigint not null,
    loyalty_card text not null,
    first_name text not null,
    last_name text not null,
    email text,
    phone text,
    city text,
    region text,
    postal_code text,
    country text,
    acquisition_channel text,
    age_band text,
    income_band text,
    home_ownership text,
    marital_status text,
    household_size text,
    household_composition text,
    kids_count text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table products (
    product_id bigint not null,
    name text not null,
    department text,
    category text,
    product_type text,
    brand text,
    manufacturer_id bigint,
    package_size text,
    unit_price numeric(12, 4),
    currency text not null,
    updated_at timestamptz not null
);
create table orders (
    order_id bigint not null,
    customer_id bigint not null,
    store_id integer not null,
    ordered_at timestamptz not null,
    status text not null,
    channel text not null,
    currency text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create table order_lines (
    order_id bigint not null,
    line_no integer not null,
    product_id bigint not null,
    quantity integer not null,
    unit_price numeric(12, 4),
    loyalty_discount numeric(12, 2) not null,
    coupon_discount numeric(12, 2) not null,
    coupon_match_discount numeric(12, 2) not null,
    amount numeric(12, 2) not null,
    currency text not null,
    updated_at timestamptz not null
);
create table campaigns (
    campaign_id bigint not null,
    name text not null,
    campaign_type text not null,
    channel text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    updated_at timestamptz not null
);
create table campaign_targets (
    campaign_id bigint not null,
    customer_id bigint not null,
    targeted_at timestamptz not null,
    updated_at timestamptz not null
);
create table coupons (
    campaign_id bigint not null,
    coupon_upc bigint not null,
    products integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    updated_at timestamptz not null
);
create table coupon_redemptions (
    redemption_id bigint not null,
    customer_id bigint not null,
    coupon_upc bigint not null,
    campaign_id bigint not null,
    redeemed_at timestamptz not null,
    updated_at timestamptz not null
);
-- How far the demo has played: one row, kept out of the schema that is read as a source.
create schema demo;
create table demo.clock (as_of timestamptz not null, households integer);
