-- Which fields differ from what a platform confirmed, without keeping what it confirmed: four hex digits a field, in the order
-- of their names, behind four for the names themselves.
alter table activation.outbox add column field_marks text;
alter table activation.records add column field_marks text;
