-- The stage of a lifecycle that was last written to a record, where a sync only ever moves it forward.
alter table activation.outbox add column stage text;
alter table activation.records add column stage text;
