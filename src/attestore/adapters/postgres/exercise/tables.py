"""Tables as an exercise sees them: rows to start from, columns to alter, and statements built of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from attestore.adapters.postgres.objects import catalogue
from attestore.adapters.postgres.quoting import identifier, literal

__all__ = ["Column", "Place", "Table", "altered", "deleting", "inserting", "places", "read", "rows", "updating"]

_SAMPLE: Final = 20
"""existing rows that are tried as a start"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `type` (SQL, with its modifier: a value is judged as it will be stored) and `base` lie below any domain."""

    number: int
    name: str
    type: str
    base: str
    labels: tuple[str, ...]
    nullable: bool
    computed: str
    """SQL of a generated column; empty for every other"""
    defaulted: bool
    unique: bool
    """part of a unique index"""

    @property
    def sql(self) -> str:
        """Its name, quoted."""
        return identifier(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """One table, partitioned table or view."""

    oid: int
    schema: str
    name: str
    identity: str
    """schema and name, quoted as the catalogue does"""
    kind: str
    """relkind"""
    columns: Mapping[int, Column]
    triggers: tuple[str, ...]
    """names of its own triggers that are not disabled"""
    rules: tuple[str, ...]
    """names of its rewrite rules that are not disabled"""

    @property
    def only(self) -> str:
        """SQL of exactly this table, its partitions included and its children not."""
        return self.identity if self.kind in {"p", "v"} else f"ONLY {self.identity}"

    @property
    def stored(self) -> tuple[Column, ...]:
        """Columns that take values."""
        return tuple(column for column in self.columns.values() if not column.computed)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies; empty for a view, whose first row is meant."""

    relation: int
    address: str

    @property
    def sql(self) -> str:
        """The condition that finds it as `t`."""
        return f"t.tableoid = {self.relation} AND t.ctid = {literal(self.address)}::pg_catalog.tid"


_TABLES: Final = """
SELECT r.oid::int8, n.nspname, c.relname, r.identity, r.relkind::text,
       ARRAY(SELECT t.tgname::text FROM pg_trigger t
              WHERE t.tgrelid = r.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY t.tgname COLLATE "C"),
       ARRAY(SELECT w.rulename::text FROM pg_rewrite w
              WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN' AND w.ev_enabled <> 'D')
  FROM relation r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.relkind IN ('r', 'p', 'v')
 ORDER BY r.relispartition, r.identity COLLATE "C"
"""

_COLUMNS: Final = """
, resolved AS (
  WITH RECURSIVE down(oid, base, modifier) AS (
    SELECT oid, oid, -1 FROM pg_type WHERE typtype <> 'd'
    UNION ALL
    SELECT t.oid, d.base, greatest(t.typtypmod, d.modifier)
      FROM pg_type t JOIN down d ON t.typbasetype = d.oid WHERE t.typtype = 'd')
  SELECT * FROM down
)
SELECT r.oid::int8, a.attnum::int4, a.attname::text, format_type(b.oid, greatest(a.atttypmod, v.modifier)), b.typname::text,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder),
       NOT a.attnotnull, CASE WHEN a.attgenerated <> '' THEN pg_get_expr(f.adbin, f.adrelid) ELSE '' END,
       a.atthasdef OR a.attidentity <> '',
       EXISTS (SELECT FROM pg_index x WHERE x.indrelid = r.oid AND x.indisunique AND a.attnum = ANY (x.indkey))
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN resolved v ON v.oid = a.atttypid JOIN pg_type b ON b.oid = v.base
  LEFT JOIN pg_attrdef f ON f.adrelid = r.oid AND f.adnum = a.attnum
 WHERE r.relkind IN ('r', 'p', 'v')
 ORDER BY r.oid, a.attnum
"""


def read(cursor: psycopg.Cursor[TupleRow]) -> dict[int, Table]:
    """Every table and view of the database's users by its OID, partitions last."""
    columns: dict[int, dict[int, Column]] = {}
    for oid, number, name, kind, base, labels, nullable, computed, defaulted, unique in catalogue.ask(cursor, _COLUMNS):
        columns.setdefault(oid, {})[number] = Column(
            number, name, kind, base, tuple(labels), nullable, computed or "", defaulted, unique
        )
    return {
        oid: Table(oid, schema, name, identity, kind, columns.get(oid, {}), tuple(triggers), tuple(rules))
        for oid, schema, name, identity, kind, triggers, rules in catalogue.ask(cursor, _TABLES)
    }


def rows(cursor: psycopg.Cursor[TupleRow], statement: str) -> list[TupleRow] | None:
    """The rows of a question that restored code may answer with an error: then None.

    Raises:
        psycopg.Error: the session was lost.
    """
    try:
        with cursor.connection.transaction(force_rollback=True):
            return cursor.execute(statement.encode(), binary=True).fetchall()
    except psycopg.Error:
        if cursor.connection.closed:
            raise
        return None


def places(cursor: psycopg.Cursor[TupleRow], table: Table, *, only: bool, where: str = "true") -> list[Place]:
    """Some of its rows that satisfy a condition on its columns."""
    source = table.only if only else table.identity
    found = rows(cursor, f"SELECT t.tableoid::int8, t.ctid::text FROM {source} t WHERE {where} LIMIT 1")
    return [Place(relation, address) for relation, address in found or []]


def altered(table: Table, changes: Mapping[int, str], *, where: str) -> str:
    """SQL: where a row lies that satisfies `where` once some of its columns are altered (by number, to SQL over `t`)."""
    alias = identifier(table.name)
    stored = "".join(f", {changes.get(c.number, f't.{c.sql}')} AS {c.sql}" for c in table.stored)
    inner = (
        f"SELECT t.tableoid AS tableoid, t.ctid AS ctid{stored}"
        f" FROM (SELECT tableoid, ctid, * FROM {table.identity} LIMIT {_SAMPLE}) AS t"
    )
    computed = "".join(f", ({c.computed}) AS {c.sql}" for c in table.columns.values() if c.computed)
    if computed:
        inner = f"SELECT {alias}.*{computed} FROM ({inner}) AS {alias}"
    return f"SELECT {alias}.tableoid::int8, {alias}.ctid::text FROM ({inner}) AS {alias} WHERE {where} LIMIT 1"


def copying(table: Table, changes: Mapping[int, str], *, where: str = "") -> str:
    """SQL: a copy of any one of its own rows `t`, with some columns altered; planned in two thirds of the time of one by address."""
    names = ", ".join(column.sql for column in table.stored)
    picked = ", ".join(changes.get(column.number, f"t.{column.sql}") for column in table.stored)
    chosen = f" WHERE {where}" if where else ""
    return (
        f"INSERT INTO {table.identity} ({names}) OVERRIDING SYSTEM VALUE"
        f" SELECT {picked} FROM {table.only} t{chosen} LIMIT 1"
    )


def inserting(table: Table, where: str, changes: Mapping[int, str], *, without: Sequence[int] = ()) -> str:
    """SQL: a copy of rows `t` with some columns altered, and some left to their defaults."""
    taken = [column for column in table.stored if column.number not in without]
    names = ", ".join(column.sql for column in taken)
    picked = ", ".join(changes.get(column.number, f"t.{column.sql}") for column in taken)
    head = f"INSERT INTO {table.identity}"
    if not taken:
        return f"{head} DEFAULT VALUES"
    return f"{head} ({names}) OVERRIDING SYSTEM VALUE SELECT {picked} FROM {table.identity} t WHERE {where}"


def updating(table: Table, where: str, changes: Mapping[int, str]) -> str:
    """SQL: rows `t` altered in place."""
    put = ", ".join(f"{table.columns[number].sql} = {value}" for number, value in changes.items())
    return f"UPDATE {table.only} t SET {put} WHERE {where}"


def deleting(table: Table, where: str) -> str:
    """SQL: rows `t` deleted."""
    return f"DELETE FROM {table.only} t WHERE {where}"
