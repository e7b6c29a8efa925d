"""Identity swallows nobody: no customer takes in a crowd, and one night does not merge a great part of the people."""

from __future__ import annotations

from lifehouse.releases.candidate import Candidate
from lifehouse.releases.expectation import Rule, known, no_rows, within

TABLES = ("customer_identifiers", "customer_merges")

#: A customer of so many records raises no question.
_CROWD = 50
_LOOK = (
    "an identifier is shared by people who are not one: find it in marts.customer_identifiers and keep it out in "
    "the staging model"
)


def expectations(candidate: Candidate, table: str) -> list[Rule]:
    here, customers = candidate.table(table), candidate.table("customers")
    if table == "customer_merges":
        return [
            known(
                here,
                "customer_id",
                customers,
                meaning="who took in another customer exists",
                what_to_do="run with --full-refresh and report it",
            ),
            no_rows(
                "the retired are gone",
                f"select from {here} as merges inner join {customers} as customers "
                "on merges.retired_id = customers.customer_id",
                meaning="who was merged into another is no customer any more",
                what_to_do="run with --full-refresh and report it",
            ),
            *_merged(candidate, here),
        ]
    return [
        no_rows(
            "records in one place",
            f"""
            select from {here} as judged
            left join core.customer_refs as refs
                on judged.source = refs.source and judged.customer_key = refs.customer_key
            where refs.customer_id is distinct from judged.customer_id
            """,
            meaning="every identifier stands with the customer that its record belongs to",
            what_to_do="customers were missed when changes were followed: run with --full-refresh and report it",
        ),
        *_crowds(candidate),
        *_cut(candidate, here),
    ]


def _cut(candidate: Candidate, here: str) -> list[Rule]:
    """Identifiers that came to be shared by too many since the served release: told, since somebody should look."""
    before = candidate.before("customer_identifiers", "identifier_kind", "identifier", "not_matched_because")
    if before is None:
        return []
    shared = (
        "select identifier_kind, identifier from {} where not_matched_because = 'shared by too many records'"
    )
    return [
        no_rows(
            "newly over-shared identifiers",
            f"{shared.format(here)} except {shared.format(before)}",
            severity="warning",
            meaning="no identifier came to be shared by more records than the cap of lifehouse.yml, which parts them",
            what_to_do="see `lifehouse identity cut`: block what names nobody, raise the cap for what does, under identity: "
            "in lifehouse.yml",
        ),
        *_unmatched(candidate, here, before),
    ]


def _unmatched(candidate: Candidate, here: str, before: str) -> list[Rule]:
    """Of each kind of identifier, what part cannot be matched on: swapped or garbled columns show in it."""
    share = (
        "select identifier_kind, avg((not is_matched_on)::int) as share from {} "
        "where identifier_kind in ('email', 'phone', 'loyalty_card') group by identifier_kind having count(*) > 50"
    )
    more = (
        f"(select coalesce(max(now.share - served.share), 0) from ({share.format(here)}) as now "
        f"inner join ({share.format(before)}) as served using (identifier_kind))"
    )
    told = {
        "meaning": "of e-mails, phones and cards about as many as before are in a shape in which they match",
        "what_to_do": "see `lifehouse identity` for what does not and why; a new form is for the staging model, "
        "swapped columns are for the source",
    }
    return [
        within("identifiers matched on", more, most=0.05, severity=candidate.severity("warning"), **told),
        within("identifiers matched on, nearly", more, most=0.2, severity=candidate.severity(), **told),
    ]


def _crowds(candidate: Candidate) -> list[Rule]:
    sizes = "select count(*) as size from core.customer_refs group by customer_id"
    found = [
        within(
            "largest customer",
            f"(select case when max(size) > {_CROWD} then max(size)::numeric / sum(size) else 0 end "
            f"from ({sizes}) as sizes)",
            most=0.05,
            meaning=f"no customer holds more than a twentieth of all records (up to {_CROWD} are never too many)",
            what_to_do=_LOOK,
        )
    ]
    before = candidate.before("customer_identifiers", "customer_id", "source", "identifier_kind")
    if before is not None:
        found.append(
            within(
                "largest customer's growth",
                f"""(
                    select case when max(size) > {_CROWD} then max(size)::numeric / greatest(
                        {_CROWD / 2},
                        (
                            select max(size) from (
                                select count(*) as size from {before}
                                where identifier_kind = 'id:' || source group by customer_id
                            ) as sizes
                        )
                    ) else 0 end
                    from ({sizes}) as sizes
                )""",
                most=2,
                meaning="the largest customer has at most twice as many records as the largest one served",
                what_to_do=_LOOK,
            )
        )
    return found


def _merged(candidate: Candidate, here: str) -> list[Rule]:
    before, served = candidate.before("customers", "customer_id"), candidate.served_rows.get("customers")
    if before is None or not served:
        return []
    merged = (
        f"(select count(*) from {before} as served inner join {here} as merges "
        "on served.customer_id = merges.retired_id)"
    )
    share = f"case when {merged} > {{}} then {merged}::numeric / {served} else 0 end"
    told = {"what_to_do": _LOOK + "; if the merges are right, publish them a source at a time"}
    return [
        within(
            "merged in one night",
            share.format(20),
            most=0.03,
            severity="warning" if candidate.is_comparable else "info",
            meaning="at most 3% of the served customers are merged into others",
            **told,
        ),
        within(
            "merged in one night, many",
            share.format(50),
            most=0.1,
            severity="critical" if candidate.is_comparable else "warning",
            meaning="at most a tenth of the served customers is merged into others",
            **told,
        ),
    ]
