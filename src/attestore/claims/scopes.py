"""Names in SQL: what each column reference can mean, judged only where it must mean something that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from attestore.claims.catalogue import SYSTEM_COLUMNS, Catalogue
from attestore.claims.parser import Tree, within

__all__ = ["Trouble", "selects", "troubles"]

_AGGREGATES: Final = frozenset(
    [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "string_agg",
        "array_agg",
        "bool_and",
        "bool_or",
        "every",
        "json_agg",
        "jsonb_agg",
        "stddev",
        "variance",
        "bit_and",
        "bit_or",
    ]
)
_FOREIGN: Final = {
    "ifnull": "MySQL", "nvl": "Oracle", "isnull": "SQL Server", "group_concat": "MySQL", "datediff": "MySQL and SQL Server",
    "getdate": "SQL Server", "sysdate": "Oracle", "len": "SQL Server", "charindex": "SQL Server", "convert_tz": "MySQL", "unix_timestamp": "MySQL",
    "from_unixtime": "MySQL", "date_format": "MySQL", "str_to_date": "MySQL", "table_checksum": "no", "checksum_agg": "SQL Server",
    "binary_checksum": "SQL Server", "hashbytes": "SQL Server", "dbms_utility": "Oracle", "sha2": "MySQL", "crc32_agg": "no", "listagg": "Oracle",
    "object_id": "SQL Server", "db_name": "SQL Server", "found_rows": "MySQL", "table_rows": "no", "md5_agg": "no", "row_count": "MySQL",
}  # fmt: skip
_SHOWABLE: Final = frozenset(
    {"tables", "databases", "schemas", "columns", "indexes", "users", "processlist", "status", "triggers", "grants"}
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a statement cannot run, and the offset in its text."""

    why: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Relation:
    """What a FROM clause offers under one name; no columns known: None."""

    alias: str
    name: str
    columns: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Scope:
    relations: tuple[_Relation, ...]
    outer: _Scope | None = None
    outputs: frozenset[str] = frozenset()

    def named(self, alias: str) -> _Relation | None:
        """The relation of that name, here or outside."""
        for relation in self.relations:
            if relation.alias == alias:
                return relation
        return self.outer.named(alias) if self.outer else None

    def every(self) -> Iterator[_Relation]:
        """All relations that a bare name may come from."""
        yield from self.relations
        if self.outer:
            yield from self.outer.every()


def troubles(tree: Tree, known: Catalogue) -> tuple[Trouble, ...]:
    """What in a statement names something that PostgreSQL does not have, for certain."""
    found: list[Trouble] = []
    for kind, node in tree.items():
        if kind == "SelectStmt":
            found += _select(node, None, known, frozenset())
        elif kind == "VariableShowStmt" and str(node.get("name", "")).lower() in _SHOWABLE:
            name = node["name"]
            found.append(
                Trouble(
                    f"SHOW reads a setting, and PostgreSQL has none called “{name}”; SHOW {name.upper()} is MySQL's", 0
                )
            )
        elif isinstance(node, Mapping):
            for name, below in within(node):
                if name == "SelectStmt":
                    found += _select(below, _ANY, known, frozenset())
    return tuple(dict.fromkeys((*found, *_functions(tree, known))))


_ANY: Final = _Scope((_Relation("", "", None),))
"""An outer scope about which nothing is known: nothing inside it is judged by bare names"""


def selects(tree: Tree) -> Iterator[Tree]:
    """Every SELECT in a statement, the outermost one too."""
    for name, node in within(tree):
        if name in {"SelectStmt", "larg", "rarg"} and ("targetList" in node or "fromClause" in node):
            yield node


def _functions(tree: Tree, known: Catalogue) -> Iterator[Trouble]:
    for kind, node in within(tree):
        if kind != "FuncCall":
            continue
        names = [str(part.get("String", {}).get("sval", "")).lower() for part in node.get("funcname", [])]
        if not names or (len(names) > 1 and names[0] != "pg_catalog"):
            continue
        name, offset = names[-1], int(node.get("location", 0))
        if name in _FOREIGN:
            where = _FOREIGN[name]
            yield Trouble(
                f"PostgreSQL has no function {name}()" + (f"; it is from {where}" if where != "no" else ""), offset
            )
        elif name.startswith("pg_") and name not in known.functions:
            yield Trouble(f"neither PostgreSQL 15 to 18 nor its contrib modules have a function {name}()", offset)


def _select(node: Tree, outer: _Scope | None, known: Catalogue, ctes: frozenset[str]) -> list[Trouble]:
    found: list[Trouble] = []
    inside = ctes
    for cte in node.get("withClause", {}).get("ctes", []):
        expression = cte.get("CommonTableExpr", {})
        inside |= {str(expression.get("ctename", ""))}
        query = expression.get("ctequery", {}).get("SelectStmt")
        if query:
            found += _select(query, outer, known, inside)
    for side in ("larg", "rarg"):
        if isinstance(node.get(side), Mapping):
            found += _select(node[side], outer, known, inside)
    if "larg" in node:
        return found
    relations: list[_Relation] = []
    subqueries: list[tuple[Tree, bool]] = []
    for each in node.get("fromClause", []):
        _from(each, relations, subqueries, found, known, inside)
    outputs = frozenset(str(target.get("ResTarget", {}).get("name", "")) for target in node.get("targetList", []))
    scope = _Scope(tuple(relations), outer, outputs)
    for query, lateral in subqueries:
        found += _select(query, scope if lateral else outer, known, inside)
    for part in (
        "targetList",
        "whereClause",
        "groupClause",
        "havingClause",
        "sortClause",
        "fromClause",
        "windowClause",
        "distinctClause",
    ):
        if part in node:
            visible = scope.outputs if part in {"groupClause", "sortClause", "distinctClause"} else frozenset[str]()
            found += _expression(node[part], scope, known, inside, visible, in_from=part == "fromClause")
    found += _grouping(node)
    return found


def _from(
    item: Tree,
    relations: list[_Relation],
    subqueries: list[tuple[Tree, bool]],
    found: list[Trouble],
    known: Catalogue,
    ctes: frozenset[str],
) -> None:
    for kind, node in item.items():
        alias = str(node.get("alias", {}).get("aliasname", "")) if isinstance(node, Mapping) else ""
        renamed = bool(node.get("alias", {}).get("colnames")) if isinstance(node, Mapping) else False
        match kind:
            case "RangeVar":
                schema, name = str(node.get("schemaname", "")), str(node.get("relname", ""))
                columns = None if renamed or (not schema and name in ctes) else known.columns(schema, name)
                if known.lacks(schema, name):
                    found.append(Trouble(f"PostgreSQL 15 to 18 have no {schema}.{name}", int(node.get("location", 0))))
                relations.append(_Relation(alias or name, f"{schema}.{name}" if schema else name, columns))
            case "JoinExpr":
                for side in ("larg", "rarg"):
                    if side in node:
                        _from(node[side], relations, subqueries, found, known, ctes)
                if alias:
                    relations.append(_Relation(alias, alias, None))
            case "RangeSubselect":
                query = node.get("subquery", {}).get("SelectStmt", {})
                subqueries.append((query, bool(node.get("lateral", False))))
                relations.append(_Relation(alias, alias, None if renamed else _outputs(query)))
            case _:
                relations.append(_Relation(alias, alias, None))


def _outputs(query: Tree) -> frozenset[str] | None:
    """The columns that a subquery offers; None where a star or an unnamed expression hides some."""
    while "larg" in query:
        query = query["larg"]
    names: set[str] = set()
    for target in query.get("targetList", []):
        result = target.get("ResTarget", {})
        fields = result.get("val", {}).get("ColumnRef", {}).get("fields", [])
        last = fields[-1] if fields else {}
        if "name" in result:
            names.add(str(result["name"]))
        elif "String" in last:
            names.add(str(last["String"].get("sval", "")))
        else:
            return None
    return frozenset(names) if names else None


def _expression(
    node: object, scope: _Scope, known: Catalogue, ctes: frozenset[str], visible: frozenset[str], *, in_from: bool
) -> list[Trouble]:
    found: list[Trouble] = []
    waiting: list[object] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        if not isinstance(each, Mapping):
            continue
        for kind, value in each.items():
            if kind in {"RangeSubselect", "RangeFunction", "RangeTableFunc"}:
                continue  # each has a scope of its own, or sees only what stands before it
            if kind == "SelectStmt":
                found += _select(value, scope, known, ctes)
            elif kind == "ColumnRef":
                trouble = _reference(value, scope, visible)
                if trouble:
                    found.append(trouble)
            elif not (in_from and kind in {"RangeVar", "alias"}):
                waiting.append(value)
    return found


def _reference(node: Mapping[str, Any], scope: _Scope, visible: frozenset[str]) -> Trouble | None:
    fields = [str(part["String"].get("sval", "")) if "String" in part else "*" for part in node.get("fields", [])]
    offset = int(node.get("location", 0))
    if len(fields) == 1:
        return _bare(fields[0], scope, visible, offset)
    if len(fields) != 2:
        return None
    alias, column = fields
    relation = scope.named(alias)
    if relation is None:
        return _unnamed(alias, scope, offset)
    if relation.columns is None or column == "*" or column in relation.columns | SYSTEM_COLUMNS:
        return None
    return Trouble(_no_column(relation, column), offset)


def _unnamed(alias: str, scope: _Scope, offset: int) -> Trouble | None:
    """An alias that no FROM has; where something unknown is around, it may be a composite column."""
    every = list(scope.every())
    if not every or any(not relation.alias for relation in every):
        return None
    return Trouble(f"no table of the FROM clause is called {alias}", offset)


def _bare(column: str, scope: _Scope, visible: frozenset[str], offset: int) -> Trouble | None:
    every = list(scope.every())
    if column in visible or column == "*" or column in SYSTEM_COLUMNS or not every:
        return None
    if any(relation.columns is None or column in relation.columns or column == relation.alias for relation in every):
        return None
    if len(every) == 1:
        return Trouble(_no_column(every[0], column), offset)
    return Trouble(
        f"none of {', '.join(relation.name or relation.alias for relation in every)} has a column {column}", offset
    )


def _no_column(relation: _Relation, column: str) -> str:
    like = ", ".join(sorted(c for c in relation.columns or () if c.endswith("name") or column in c or c in column)[:4])
    hint = f"; it has {like}" if like else ""
    return f"{relation.name} has no column {column}{hint}"


def _grouping(node: Tree) -> Iterator[Trouble]:
    """Bare columns beside an aggregate without GROUP BY; aggregates in WHERE."""
    for call in _aggregates(node.get("whereClause", {})):
        yield Trouble("aggregate functions are not allowed in WHERE", call)
    if node.get("groupClause") or not any(True for target in node.get("targetList", []) for _ in _aggregates(target)):
        return
    for target in node.get("targetList", []):
        value = target.get("ResTarget", {}).get("val", {})
        fields = value.get("ColumnRef", {}).get("fields", [])
        if fields:
            name = ".".join(str(part.get("String", {}).get("sval", "*")) for part in fields)
            yield Trouble(
                f"column {name} must appear in a GROUP BY clause, and there is none",
                int(value["ColumnRef"].get("location", 0)),
            )


def _aggregates(node: object) -> Iterator[int]:
    """Offsets of aggregate calls that belong to this query itself, not to one inside it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            for kind, value in each.items():
                if kind in {"SubLink", "SelectStmt"}:
                    continue
                if (
                    kind == "FuncCall"
                    and "over" not in value
                    and [p.get("String", {}).get("sval") for p in value.get("funcname", [])][-1:]
                    and (
                        value["funcname"][-1].get("String", {}).get("sval") in _AGGREGATES
                        and len(value["funcname"]) == 1
                    )
                ):
                    yield int(value.get("location", 0))
                waiting.append(value)
