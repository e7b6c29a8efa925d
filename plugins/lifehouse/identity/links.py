"""The part of the graph that a run must look at, and its components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from lifehouse.identity import binary, graph

#: From the strongest to the weakest; what a person said comes before all.
_STRENGTH = ("id", "loyalty_card", "email", "phone", "cookie")


@dataclass(frozen=True)
class Span:
    """The decisions of people that count (numbers up to ``until``), and those of them that are new (above ``after``)."""

    after: int
    until: int


def decide(connection: psycopg.Connection[Any], span: Span) -> None:
    """Set down what people's newest words on pairs of records are, in the temporary table ``decided``."""
    connection.execute(_DECIDED, {"until": span.until, "after": span.after})


def gather(connection: psycopg.Connection[Any], *, full: bool) -> None:
    """Fill the temporary table ``nodes`` with the records whose components may be others than before.

    The components of a run are the customers of the one before it, so they need no graph to be found: a changed
    identifier touches the customers that carry it, and nobody else.
    """
    connection.execute(_NODES)
    if full:
        connection.execute(_ALL_NODES)
    else:
        connection.execute(_SEEDS)
        connection.execute(_THEIR_CUSTOMERS)
        # A pair kept apart cuts customers out of a greater whole: what it holds together is looked at together.
        row = connection.execute("select exists (select from decided where was_apart)").fetchone()
        while row and row[0] and connection.execute(_NEIGHBOURS).rowcount:
            pass
    connection.execute("analyze nodes")


def label(connection: psycopg.Connection[Any], *, full: bool) -> int:
    """Fill the temporary table ``labels`` (node, component).

    Leaves the temporary table ``parted`` (node): whose links were or are left out to keep two apart.

    :returns: the number of identifiers that are left out so, in all.
    """
    connection.execute("create temporary table labels (node int, component int) on commit drop")
    row = connection.execute("select count(*) from nodes").fetchone()
    size = int(row[0]) if row else 0
    connection.execute(_LINKS)
    found = graph.components(size, binary.read_pairs(connection, _PAIRS))
    left_out = _part(connection, found, full=full)
    binary.write_numbered(connection, "labels", found)
    connection.execute("analyze labels")
    return left_out


def _part(connection: psycopg.Connection[Any], found: graph.Numbers, *, full: bool) -> int:
    """Part the components that hold two who were declared apart; ``found`` is changed in place."""
    connection.execute("create temporary table parted (node int) on commit drop")
    connection.execute("delete from cut_identifiers where why = 'apart'" if full else _FORGET_PARTED)
    strangers = connection.execute(_STRANGERS).fetchall()
    together = [(one, other) for one, other in strangers if found[one] == found[other]]
    for component in sorted({int(found[one]) for one, _ in together}):
        nodes = np.flatnonzero(found == component).tolist()
        links = connection.execute(_LINKS_OF, (nodes,)).fetchall()
        links.sort(key=_strength)
        inside = [pair for pair in together if found[pair[0]] == component]
        parted, left_out = graph.apart(nodes, [link[-1] for link in links], inside)
        found[list(parted)] = [len(found) + smallest for smallest in parted.values()]
        cut = [links[number][:3] for number in left_out if links[number][1] != "same"]
        with connection.cursor() as cursor:
            cursor.executemany(_NOTE_PARTED, cut)
        connection.execute("insert into parted select unnest(%s::int[])", (nodes,))
    row = connection.execute("select count(*) from cut_identifiers where why = 'apart'").fetchone()
    return int(row[0]) if row else 0


def _strength(link: tuple[Any, ...]) -> tuple[Any, ...]:
    """People's words, the newest first; then kinds by strength, the least shared first; ties by spelling."""
    holder, kind, value, number, nodes = link
    family = kind.split(":", 1)[0]
    if family == "same":
        return (-1, -number)
    return (_STRENGTH.index(family), len(nodes), kind, holder, value)


_DECIDED = """
    create temporary table decided on commit drop as
    select distinct on (source, customer_key, other_source, other_key)
        source, customer_key, other_source, other_key, verdict, change_seq,
        max(change_seq) over pairs > %(after)s as is_new,
        bool_or(verdict = 'apart') over pairs as was_apart
    from control.identity_decisions
    where change_seq <= %(until)s
    window pairs as (partition by source, customer_key, other_source, other_key)
    order by source, customer_key, other_source, other_key, change_seq desc
"""

_NODES = """
    create temporary table nodes (
        node int generated always as identity (minvalue 0 start 0), source text, customer_key text, current text
    ) on commit drop
"""

_ALL_NODES = """
    insert into nodes (source, customer_key, current)
    select source, customer_key, refs.customer_id
    from record_refs left join customer_refs as refs using (source, customer_key)
"""

# Whose identifiers changed, who shares those (unless too many do, before and now), whom an external id names, who was
# decided on, also before there was a record of one of them, and who is new.
_SEEDS = """
    create temporary table seeds on commit drop as
    with newcomers as (
        select source, customer_key from asked
        where not exists (
            select from customer_refs as refs
            where refs.source = asked.source and refs.customer_key = asked.customer_key
        )
    ),
    alive as (
        select holder, kind, value from counted where not is_over
        union
        select holder, kind, value from crossed
    )
    select source, customer_key from newcomers
    union
    select source, customer_key from gone
    union
    select source, customer_key from touched
    union
    select theirs.source, theirs.customer_key
    from alive inner join identifiers as theirs using (holder, kind, value)
    where theirs.reason is null
    union
    select refs.source, refs.customer_key
    from alive inner join customer_refs as refs on refs.source = substr(kind, 4) and refs.customer_key = value
    where kind like 'id:%'
    union
    select theirs.source, theirs.customer_key
    from newcomers
    inner join identifiers as theirs
        on theirs.kind = 'id:' || newcomers.source and theirs.value = newcomers.customer_key
    where theirs.reason is null
    union
    select ends.source, ends.customer_key
    from decided
    cross join lateral (values (source, customer_key), (other_source, other_key)) as ends (source, customer_key)
    where decided.is_new or exists (
        select from newcomers
        where (newcomers.source, newcomers.customer_key) in (
            (decided.source, decided.customer_key), (decided.other_source, decided.other_key)
        )
    )
"""

_THEIR_CUSTOMERS = """
    insert into nodes (source, customer_key, current)
    select source, customer_key, customer_id from customer_refs
    where customer_id in (select customer_id from seeds inner join customer_refs using (source, customer_key))
        and (source, customer_key) not in (select source, customer_key from gone)
    union all
    select source, customer_key, null from (select distinct source, customer_key from asked) as asked
    where not exists (
        select from customer_refs as refs
        where refs.source = asked.source and refs.customer_key = asked.customer_key
    )
    and (source, customer_key) not in (select source, customer_key from gone)
"""

_OF_NODES = """
    select node, holder, kind, value from nodes inner join identifiers using (source, customer_key) where reason is null
    union all
    select node, '', 'id:' || source, customer_key from nodes
"""

_NEIGHBOURS = f"""
    insert into nodes (source, customer_key, current)
    select source, customer_key, customer_id from customer_refs
    where customer_id in (
        select refs.customer_id
        from ({_OF_NODES}) as ours
        inner join identifiers as theirs using (holder, kind, value)
        inner join customer_refs as refs
            on theirs.source = refs.source and theirs.customer_key = refs.customer_key
        where theirs.reason is null and not exists (
            select from cut_identifiers as cut
            where cut.holder = ours.holder and cut.kind = ours.kind and cut.value = ours.value and cut.why = 'shared'
        )
        union
        select refs.customer_id
        from ({_OF_NODES}) as ours
        inner join customer_refs as refs on refs.source = substr(ours.kind, 4) and refs.customer_key = ours.value
        where ours.kind like 'id:%'
        union
        select refs.customer_id
        from decided
        cross join lateral (
            values (source, customer_key, other_source, other_key), (other_source, other_key, source, customer_key)
        ) as ends (source, customer_key, their_source, their_key)
        inner join nodes on ends.source = nodes.source and ends.customer_key = nodes.customer_key
        inner join customer_refs as refs
            on ends.their_source = refs.source and ends.their_key = refs.customer_key
        where decided.verdict = 'same'
    )
    and not exists (
        select from nodes
        where nodes.source = customer_refs.source and nodes.customer_key = customer_refs.customer_key
    )
    and (source, customer_key) not in (select source, customer_key from gone)
"""  # noqa: S608

# Only what two records share joins anybody.
_LINKS = f"""
    create temporary table links on commit drop as
    select holder, kind, value, 0::bigint as number, array_agg(node) as nodes
    from ({_OF_NODES}) as carried
    where not exists (
        select from cut_identifiers as cut
        where cut.holder = carried.holder and cut.kind = carried.kind and cut.value = carried.value
            and cut.why = 'shared'
    )
    group by holder, kind, value
    having min(node) <> max(node)
    union all
    select '', 'same', '', decided.change_seq, array[ones.node, others.node]
    from decided
    inner join nodes as ones on decided.source = ones.source and decided.customer_key = ones.customer_key
    inner join nodes as others
        on decided.other_source = others.source and decided.other_key = others.customer_key
    where decided.verdict = 'same'
"""  # noqa: S608

_PAIRS = "select nodes[1], unnest(nodes[2:]) from links"

_LINKS_OF = "select holder, kind, value, number, nodes from links where nodes[1] = any(%s)"

_STRANGERS = """
    select ones.node, others.node
    from decided
    inner join nodes as ones on decided.source = ones.source and decided.customer_key = ones.customer_key
    inner join nodes as others
        on decided.other_source = others.source and decided.other_key = others.customer_key
    where decided.verdict = 'apart'
    order by ones.source, ones.customer_key, others.source, others.customer_key
"""

_FORGET_PARTED = """
    with forgotten as (
        delete from cut_identifiers as cut
        where cut.why = 'apart' and exists (
            select from identifiers as theirs
            inner join nodes using (source, customer_key)
            where theirs.holder = cut.holder and theirs.kind = cut.kind and theirs.value = cut.value
                and theirs.reason is null
            union all
            select from touched
            where touched.holder = cut.holder and touched.kind = cut.kind and touched.value = cut.value
        )
        returning holder, kind, value
    )
    insert into parted
    select node from forgotten inner join identifiers as theirs using (holder, kind, value)
    inner join nodes using (source, customer_key)
"""

_NOTE_PARTED = """
    insert into cut_identifiers (holder, kind, value, why, records)
    select holder, kind, value, 'apart', count(distinct (source, customer_key))
    from identifiers where holder = %s and kind = %s and value = %s and reason is null
    group by holder, kind, value
    on conflict do nothing
"""
