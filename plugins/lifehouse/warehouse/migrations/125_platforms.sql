-- A batch handed to a platform may take several requests: contacts, then their list; a job, then its polls.
alter table activation.calls add column requests integer not null default 1;
-- The platform's own id of a record, where it told one: who is taken off a list need not be searched for.
alter table activation.records add column platform_id text;
