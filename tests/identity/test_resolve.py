"""Identity: exact components night by night, ids for life, and people's words on pairs, against a plain reference."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.identity import reference
from tests.identity.town import Identifier, Record, Town

CAP = 4
people = st.tuples(st.sampled_from(["crm", "shop"]), st.sampled_from([str(n) for n in range(7)]))
kinds = st.one_of(
    st.tuples(st.just("email"), st.sampled_from([f"{letter}@x.org" for letter in "abcde"])),
    st.tuples(st.just("loyalty_card"), st.sampled_from(["C1", "C2", "C3"])),
    st.tuples(st.just("cookie"), st.sampled_from(["k1", "k2"])),
    st.tuples(st.sampled_from(["id:crm", "id:shop"]), st.sampled_from([str(n) for n in range(8)])),
)
deliveries = st.dictionaries(people, st.frozensets(kinds, max_size=3), max_size=6)
words = st.lists(st.tuples(st.sampled_from(["same", "apart", "withdrawn"]), people, people), max_size=2)
deletions = st.frozensets(people, max_size=3)
nights = st.lists(st.tuples(deliveries, deletions, words, st.booleans()), min_size=1, max_size=5)
many = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@many
@given(nights)
def test_nights_of_changed_records_give_the_customers_and_ids_of_the_plain_reference(
    town: Town,
    story: list[
        tuple[dict[Record, frozenset[Identifier]], frozenset[Record], list[tuple[str, Record, Record]], bool]
    ],
) -> None:
    town.empty()
    current: dict[Record, str] = {}
    age: dict[str, int] = {}
    said: dict[tuple[Record, Record], tuple[int, str]] = {}
    for number, (delivered, deleted, decisions, full) in enumerate(story):
        for order, (verdict, one, other) in enumerate(decisions):
            if one != other:
                town.say(verdict, one, other)
                said[min(one, other), max(one, other)] = (number * 10 + order, verdict)
        counts = town.night(delivered, gone=deleted - set(delivered), full=full)
        by_age = sorted(said, key=lambda pair: -said[pair][0])
        groups = reference.components(
            town.records,
            CAP,
            [pair for pair in by_age if said[pair][1] == "same"],
            [pair for pair in by_age if said[pair][1] == "apart"],
        )
        assigned, retired = reference.assign(groups, current, age)
        assert town.customers() == assigned
        merged = town.ctx.warehouse.rows(
            "select retired_id, customer_id from core.customer_merges where run_id = %s", (town.run,)
        )
        assert {row["retired_id"]: row["customer_id"] for row in merged} == retired
        assert counts["merged"] == len(retired)
        moved = {assigned[record] for record in assigned if current.get(record) != assigned[record]}
        left = {current[record] for record in current if record not in assigned}
        assert moved | left | set(retired) <= town.changed()
        for customer in assigned.values():
            age.setdefault(customer, number + 1)
        current = assigned


def test_who_is_deleted_at_the_source_is_a_customer_no_more_the_same_night(town: Town) -> None:
    town.empty()
    ash, birch, twin = ("crm", "1"), ("crm", "2"), ("shop", "9")
    shared = frozenset({("email", "ash@x.org")})
    town.night({ash: shared, birch: frozenset(), twin: shared})
    before = town.customers()
    assert before[ash] == before[twin] != before[birch]
    town.night({}, gone=[birch, ash])
    assert town.customers() == {twin: before[ash]}  # the id is the customer's, whichever record was first
    assert town.changed() == set(before.values())
    town.night({birch: frozenset()})
    assert town.customers()[birch] not in set(before.values())  # an id is handed out once


def test_who_is_named_elsewhere_still_stays(town: Town) -> None:
    town.empty()
    ash = ("crm", "1")
    town.night({ash: frozenset({("email", "ash@x.org")})})
    before = town.customers()
    now = town.tell({}, gone=[ash])
    town.ctx.warehouse.execute("insert into core.named values ('crm', '1')")  # an order names the person
    town.resolve(now)
    assert town.customers() == before


def _chain(length: int) -> dict[Record, frozenset[Identifier]]:
    """Each shares an e-mail with the next."""
    return {
        ("crm", f"{n:05}"): frozenset({("email", f"e{n}@x.org"), ("email", f"e{n + 1}@x.org")})
        for n in range(length)
    }


def test_a_bridge_joins_two_giants_into_the_older_and_its_removal_parts_them_again(town: Town) -> None:
    town.empty()
    size = 3000
    chain = _chain(2 * size)
    bridge = ("crm", f"{size:05}")
    town.night({record: identifiers for record, identifiers in chain.items() if record < bridge})
    old = set(town.customers().values())
    town.night({record: identifiers for record, identifiers in chain.items() if record > bridge})
    assert len(town.groups()) == 2
    counts = town.night({bridge: chain[bridge]})
    assert set(town.customers().values()) == old
    assert counts == {"records": 2 * size, "customers": 1, "merged": 1, "cut": 0, "apart": 0, "changed": 2}
    town.night({bridge: frozenset()})
    assert {len(group) for group in town.groups()} == {size, size - 1, 1}
    assert town.customers()["crm", "00000"] in old


def test_a_ring_over_two_sources_is_one_customer_until_it_is_cut_twice(town: Town) -> None:
    town.empty()
    ring = {
        (("crm", "shop")[n % 2], f"{n:03}"): frozenset(
            {("phone", f"+4930123{n:04}"), ("phone", f"+4930123{(n + 1) % 400:04}")}
        )
        for n in range(400)
    }
    town.night(ring)
    assert len(town.groups()) == 1
    town.night({("crm", "100"): frozenset()})
    assert sorted(map(len, town.groups())) == [1, 399]
    town.night({("crm", "300"): frozenset()})
    assert sorted(map(len, town.groups())) == [1, 1, 199, 199]


def test_only_the_touched_components_are_looked_at(town: Town) -> None:
    town.empty()
    town.night({("crm", f"{n}"): frozenset({("email", f"{n // 3}@x.org")}) for n in range(3000)})
    counts = town.night({("crm", "0"): frozenset({("email", "0@x.org"), ("email", "7@x.org")})})
    assert counts["records"] == 6
    assert counts["changed"] == 2
    nothing_new = town.night({("crm", "0"): frozenset({("email", "0@x.org"), ("email", "7@x.org")})})
    assert nothing_new["records"] == 0
    assert nothing_new["changed"] == 1


def test_a_star_falls_apart_when_one_more_shares_its_identifier_and_stands_again_when_it_leaves(
    town: Town,
) -> None:
    town.empty()
    star = {
        ("crm", f"{n}"): frozenset({("email", "desk@x.org"), ("phone", f"+49301234{n:03}")}) for n in range(4)
    }
    town.night(star)
    assert len(town.groups()) == 1
    counts = town.night({("shop", "5"): frozenset({("email", "desk@x.org")})})
    assert len(town.groups()) == 5
    assert counts["cut"] == 1
    assert town.ctx.warehouse.rows("select kind, value, why, records from core.cut_identifiers") == [
        {"kind": "email", "value": "desk@x.org", "why": "shared", "records": 5}
    ]
    town.night({("shop", "5"): frozenset()})
    assert sorted(map(len, town.groups())) == [1, 4]
    assert town.ctx.warehouse.value("select count(*) from core.cut_identifiers") == 0


def test_two_who_are_apart_stay_so_through_third_records_until_the_word_is_taken_back(town: Town) -> None:
    town.empty()
    ann, ben, third = ("crm", "1"), ("crm", "2"), ("shop", "3")
    both = frozenset({("email", "home@x.org"), ("loyalty_card", "C1")})
    town.night(
        {ann: frozenset({("loyalty_card", "C1")}), ben: frozenset({("email", "home@x.org")}), third: both}
    )
    assert len(town.groups()) == 1
    town.say("apart", ben, ann)
    counts = town.night({})
    assert town.groups() == {frozenset({ann, third}), frozenset({ben})}  # a card is stronger than an address
    assert counts["apart"] == 1
    town.night({("shop", "4"): both})
    assert town.groups() == {frozenset({ann, third, ("shop", "4")}), frozenset({ben})}
    town.say("withdrawn", ann, ben)
    assert town.night({})["apart"] == 0
    assert len(town.groups()) == 1


def test_a_person_joins_two_who_share_nothing_and_the_merge_says_why(town: Town) -> None:
    town.empty()
    town.night({("crm", "1"): frozenset(), ("shop", "2"): frozenset()})
    town.say("same", ("shop", "2"), ("crm", "1"))
    town.night({})
    assert len(town.groups()) == 1
    assert town.ctx.warehouse.value("select cause from core.customer_merges") == "a decision"


def test_a_decision_waits_for_the_records_that_it_is_about(town: Town) -> None:
    town.empty()
    one, other = ("crm", "0"), ("shop", "0")
    town.say("same", one, other)
    town.night({})
    town.night({one: frozenset()})
    town.night({other: frozenset()})
    assert town.groups() == {frozenset({one, other})}
