"""What a platform is known to hold."""

from __future__ import annotations

from collections.abc import Iterator

from lifehouse.activation import folding
from lifehouse.activation.declaration import Sync
from lifehouse.activation.plan import propose
from lifehouse.activation.platforms.base import Row
from lifehouse.warehouse.connection import Warehouse


def held_rows(warehouse: Warehouse, sync: Sync) -> Iterator[Row]:
    """Everyone the platform holds through the sync, ordered by key, with the fields of the published release."""
    with folding.reading(warehouse, sync) as connection:
        propose(connection, sync)
        with connection.cursor("held") as cursor:
            cursor.execute(
                """
                select records.record_key, members.fields
                from activation.records as records
                inner join members on records.record_key = members.record_key and members.verdict = 'send'
                where records.account = %s and records.sync = %s and records.field_hash is not null
                order by records.record_key
                """,
                (sync.account_name, sync.sync),
            )
            for key, fields in cursor:
                yield Row(0, key, "add", fields)
        connection.rollback()
