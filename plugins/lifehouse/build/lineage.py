"""Which marts a column at a source feeds: dbt's compiled models, followed column by column.

A column counts as fed where its value is computed of the lost one, and where rows are chosen, joined or grouped by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from lifehouse.build import dbt
from lifehouse.context import Context
from lifehouse.errors import BuildError

Relation = tuple[str, str]  # schema and table
#: What the identity step (Python) writes of what it reads.
_IDENTITY_READS = {("core", "record_cookies"), ("core", "profile_identifiers"), ("core", "record_refs")}
_IDENTITY_WRITES = {
    ("core", name)
    for name in ("identifiers", "cut_identifiers", "customer_refs", "customer_registry", "customer_merges")
}
_ALL = "*"


@dataclass(frozen=True)
class Breaks:
    """What a lost column breaks: columns of marts (``*``: which rows there are), through which staging models."""

    marts: dict[str, frozenset[str]]
    through: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For a person; says so when nothing reads the column."""
        if not self.marts:
            return "no mart reads it"
        listed = ", ".join(sorted(self.marts))
        return f"breaks: {listed} (through {', '.join(self.through)})"


@dataclass
class Lineage:
    """The compiled models in the order of their building, and the columns of every relation."""

    models: list[dict[str, Any]]
    schema: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, ctx: Context) -> Lineage:
        """Compile the assembled project against the warehouse.

        :raises BuildError: dbt cannot compile it.
        """
        target = ctx.home.folder("dbt", "target", "lineage")
        outcome = dbt.invoke(ctx, "compile", "blue", ["--target-path", str(target), "--full-refresh"])
        if outcome.exception is not None or not outcome.success:
            raise BuildError("the models cannot be compiled, so their lineage is not known")
        manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        columns: dict[str, dict[str, dict[str, str]]] = {}
        for row in ctx.warehouse.rows(
            "select table_schema, table_name, column_name, data_type from information_schema.columns "
            "where table_schema not in ('pg_catalog', 'information_schema') order by ordinal_position"
        ):
            tables = columns.setdefault(row["table_schema"], {})
            tables.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
        return cls(_in_order(manifest["nodes"]), columns)

    def breaks(self, source: str, table: str, columns: Iterable[str]) -> Breaks:
        """What is fed by these columns of ``raw_<source>.<table>``."""
        fed: dict[Relation, frozenset[str]] = {(f"raw_{source}", table): frozenset(columns)}
        marts, through = {}, []
        for model in self.models:
            found = self._fed(model, fed)
            if not found:
                continue
            relation = (model["schema"], model["alias"])
            fed[relation] = found
            if relation in _IDENTITY_READS:
                fed |= dict.fromkeys(_IDENTITY_WRITES, frozenset({_ALL}))
            if "/marts/" in model["original_file_path"]:
                marts[model["name"]] = found
            if model["name"].startswith("stg_"):
                through.append(model["name"])
        return Breaks(marts, tuple(through))

    def _fed(self, model: dict[str, Any], fed: dict[Relation, frozenset[str]]) -> frozenset[str]:
        parsed = sqlglot.parse_one(model["compiled_code"], dialect="postgres")
        if not any((table.db, table.name) in fed for table in parsed.find_all(exp.Table)):
            return frozenset()
        try:
            qualified = qualify(
                parsed, dialect="postgres", schema=self.schema, validate_qualify_columns=False, catalog=None
            )
            scope = build_scope(qualified)
        except sqlglot.errors.SqlglotError:
            scope = None
        if scope is None:
            return frozenset({_ALL})  # what cannot be followed is not called safe
        return _Followed(scope, fed).outputs


class _Followed:
    """One query: which of its output columns are fed; ``*`` when its rows are."""

    def __init__(self, scope: Scope, fed: dict[Relation, frozenset[str]]) -> None:
        self.scope = scope
        self.fed = fed

    @cached_property
    def outputs(self) -> frozenset[str]:
        """Names of the fed outputs."""
        scope = self.scope
        if isinstance(scope.expression, exp.SetOperation):
            return self._of_union(scope)
        if not isinstance(scope.expression, exp.Select):
            return frozenset().union(*map(self._of, scope.sources.values()))
        sources = {name: self._of(source) for name, source in scope.sources.items() if name in self._read}
        self._join(sources)
        if any(_ALL in columns for columns in sources.values()) or self._chooses(sources):
            return frozenset({_ALL})
        return frozenset(
            item.alias_or_name for item in scope.expression.selects if self._reads(item, sources)
        )

    @cached_property
    def _read(self) -> set[str]:
        return set(self.scope.selected_sources)

    def _of_union(self, scope: Scope) -> frozenset[str]:
        expression: Any = scope.expression
        names = expression.named_selects
        found: set[str] = set()
        for branch in scope.set_operation_scopes:
            outputs = _Followed(branch, self.fed).outputs
            inner: Any = branch.expression
            theirs = inner.named_selects
            found |= {_ALL} if _ALL in outputs else {names[theirs.index(name)] for name in outputs}
        return frozenset(found)

    def _of(self, source: Any) -> frozenset[str]:
        if isinstance(source, exp.Table):
            return self.fed.get((source.db, source.name), frozenset())
        return _Followed(source, self.fed).outputs

    def _join(self, sources: dict[str, frozenset[str]]) -> None:
        """What a left join on a fed column joins is fed, and so is what a lateral makes of one; rows stay as they are."""
        for join in self.scope.expression.args.get("joins") or ():
            if isinstance(join.this, exp.Lateral) and self._reads(join.this, sources):
                name = join.this.alias_or_name
                sources[name] = frozenset(
                    column.name for column in self.scope.columns if column.table == name
                )
            if join.side == "LEFT" and join.args.get("on") is not None:
                name = join.this.alias_or_name
                if self._reads(join.args["on"], sources) or _ALL in sources.get(name, ()):
                    columns = {column.name for column in self.scope.columns if column.table == name}
                    sources[name] = frozenset(columns)

    def _chooses(self, sources: dict[str, frozenset[str]]) -> bool:
        """Rows are filtered, joined, grouped or made distinct by a fed column."""
        select = self.scope.expression
        clauses = [
            select.args.get(name) for name in ("where", "group", "having", "qualify", "distinct", "limit")
        ]
        clauses += [join.args.get("on") for join in select.args.get("joins") or () if join.side != "LEFT"]
        return any(self._reads(clause, sources) for clause in clauses if clause is not None)

    def _reads(self, clause: Any, sources: dict[str, frozenset[str]]) -> bool:
        inner = [scope for scope in self.scope.subquery_scopes if _is_within(scope.expression, clause)]
        if any(_Followed(scope, self.fed).outputs for scope in inner):
            return True
        return any(column.name in sources.get(column.table, ()) for column in clause.find_all(exp.Column))


def _is_within(node: Any, clause: Any) -> bool:
    while node is not None:
        if node is clause:
            return True
        node = node.parent
    return False


def _in_order(nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """Models, each after those that it reads; the identity step stands between staging and the rest of core."""
    models = {
        key: node
        for key, node in nodes.items()
        if node["resource_type"] == "model" and node.get("compiled_code")
    }
    done: dict[str, dict[str, Any]] = {}

    def visit(key: str) -> None:
        if key in done or key not in models:
            return
        for other in models[key]["depends_on"]["nodes"]:
            visit(other)
        done[key] = models[key]

    read = {name for _, name in _IDENTITY_READS}
    first = sorted(models, key=lambda key: (models[key]["name"] not in read, key))
    for key in first:
        visit(key)
    return list(done.values())
