"""A warehouse with nothing but people's identifiers, in which identity is resolved night by night."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lifehouse.build.place import nightly
from lifehouse.context import Context
from lifehouse.identity import resolve
from lifehouse.identity.links import Span

Record = tuple[str, str]
Identifier = tuple[str, str]

_TABLES = """
    create table core.profile_identifiers (
        source text, customer_key text, holder text default 'person', kind text, written text
    );
    create index on core.profile_identifiers (source, customer_key);
    create table core.named (source text, customer_key text, primary key (source, customer_key));
    create view core.record_refs as select source, customer_key from core.named;
    create table contract.orders (source text, source_key text, customer_key text);
    create table core.record_cookies (source text, customer_key text, cookie text)
"""
_EMPTY = """
    truncate core.profile_identifiers, core.named, core.identifiers, core.cut_identifiers, core.customer_refs,
        core.customer_registry, core.customer_merges, core.customer_changes, core.customer_ref_history,
        core.changed_keys, control.run_customers, control.identity_decisions
"""


@dataclass(frozen=True)
class Turn:
    run_id: int
    as_of: datetime
    change_seq: int


@dataclass
class Town:
    """``records`` are what the sources say now; each :meth:`night` tells only what changed since the last."""

    ctx: Context
    records: dict[Record, frozenset[Identifier]] = field(default_factory=dict)
    run: int = 0
    seen: int = 0

    @classmethod
    def found(cls, ctx: Context) -> Town:
        """Lay out an empty warehouse that has the control schema."""
        ctx.warehouse.execute(_TABLES)
        return cls(ctx)

    def empty(self) -> None:
        self.ctx.warehouse.execute(_EMPTY)
        self.records, self.run = {}, 0

    def say(self, verdict: str, one: Record, other: Record) -> None:
        """A person's word on a pair, in effect from the next night on."""
        first, second = sorted((one, other))
        self.ctx.warehouse.execute(
            "insert into control.identity_decisions "
            "(verdict, source, customer_key, other_source, other_key, reason, decided_by) "
            "values (%s, %s, %s, %s, %s, 'a test', 'a test')",
            (verdict, *first, *second),
        )

    def night(
        self,
        records: Mapping[Record, Collection[Identifier]],
        *,
        gone: Collection[Record] = (),
        full: bool = False,
    ) -> dict[str, int]:
        """The sources now say ``records`` of these people, nothing more of ``gone``, and of the others what they said before."""
        return self.resolve(self.tell(records, gone), full=full)

    def tell(self, records: Mapping[Record, Collection[Identifier]], gone: Collection[Record] = ()) -> int:
        """What the sources say, as staging has it before identity; the clock of decisions."""
        with self.ctx.warehouse.connect() as connection:
            row = connection.execute("select nextval('control.change_seq')").fetchone()
            assert row is not None
            now = int(row[0])
            keys = [[key[part] for key in records] for part in (0, 1)]
            connection.execute(
                "delete from core.profile_identifiers "
                "where (source, customer_key) in (select * from unnest(%s::text[], %s::text[]))",
                keys,
            )
            connection.execute(
                "insert into core.named select * from unnest(%s::text[], %s::text[]) on conflict do nothing",
                keys,
            )
            with connection.cursor().copy(
                "copy core.profile_identifiers (source, customer_key, holder, kind, written) from stdin"
            ) as copy:
                for (source, key), identifiers in records.items():
                    for kind, value in identifiers:
                        copy.write_row(
                            (source, key, "" if kind.startswith(("id:", "cookie")) else "person", kind, value)
                        )
            connection.execute(
                "insert into core.changed_keys select %s, source, 'customer', key "
                "from unnest(%s::text[], %s::text[]) as changed (source, key)",
                (now, *keys),
            )
            lost = [[key[part] for key in gone] for part in (0, 1)]
            for table in ("profile_identifiers", "named"):
                connection.execute(
                    f"delete from core.{table} where (source, customer_key) in (select * from unnest(%s::text[], %s::text[]))",
                    lost,
                )
            connection.execute(
                "insert into core.changed_keys select %s, source, kind, key "
                "from unnest(%s::text[], %s::text[]) as lost (source, key) "
                "cross join (values ('customer'), ('gone')) as kinds (kind)",
                (now, *lost),
            )
        for record in gone:
            self.records.pop(record, None)
        self.records.update({record: frozenset(identifiers) for record, identifiers in records.items()})
        return now

    def resolve(self, now: int, *, full: bool = False) -> dict[str, int]:
        """The identity step of a night."""
        self.run += 1
        turn = Turn(self.run, datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=self.run), now)
        counts = resolve.resolve(
            self.ctx,
            turn,
            0 if full else self.seen,
            nightly("blue"),
            decisions=Span(0 if full else self.seen, now),
            full=full,
        )
        self.seen = now
        return counts

    def customers(self) -> dict[Record, str]:
        rows = self.ctx.warehouse.rows("select source, customer_key, customer_id from core.customer_refs")
        return {(row["source"], row["customer_key"]): row["customer_id"] for row in rows}

    def groups(self) -> set[frozenset[Record]]:
        found: dict[str, set[Record]] = {}
        for record, customer in self.customers().items():
            found.setdefault(customer, set()).add(record)
        return {frozenset(group) for group in found.values()}

    def changed(self) -> set[str]:
        rows = self.ctx.warehouse.rows("select customer_id from control.run_customers where scope = 'core'")
        return {row["customer_id"] for row in rows}
