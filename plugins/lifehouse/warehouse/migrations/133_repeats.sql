-- What a platform that is not keyed may hold twice: rows of batches that were sent again without knowing whether they had arrived.
alter table activation.sync_runs add column repeated bigint not null default 0;
