"""The negative control: deliberate changes of the restored copy that a comparison must notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from attestore.adapters.postgres import commits
from attestore.adapters.postgres.quoting import label
from attestore.adapters.postgres.relations import THROUGH
from attestore.adapters.postgres.session import worded
from attestore.ports import Planted
from attestore.proof import Change

__all__ = ["Cells", "plant"]

Cells: TypeAlias = Callable[[str, str, Sequence[str]], Mapping[str, int]]
"""given schema and name of a table and addresses of rows: the cell of the table's sketch in which each row lies"""

# Leaf tables that a dump covers and that hold a row at all, smallest first as ANALYZE found them: a control should cost nothing,
# and no file is looked at but of those that are taken. A trigger or rule that acts even for replicas would change more than
# was planted. Rows of some partitions are compared as those of their common table, which has no sketch: they come last, and
# what is done to them is told under its name.
_TABLES: Final = f"""
SELECT oid, nspname, relname, through FROM (
  SELECT oid, nspname, relname, through FROM (
    SELECT c.oid, n.nspname, c.relname, c.relispartition, c.relpages, {THROUGH} AS through
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
       AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled IN ('A', 'R'))
       AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))) leaf
   ORDER BY through IS NOT NULL, relispartition, nullif(relpages, 0), nspname COLLATE "C", relname COLLATE "C") smallest
 WHERE pg_relation_size(oid) > 0
 LIMIT %s
"""

# Every type here has a successor that is another value; keys come last, since changing one may be refused as a duplicate.
_COLUMNS: Final = """
SELECT a.attname, t.typname,
       EXISTS (SELECT FROM pg_index x WHERE x.indrelid = a.attrelid AND x.indisunique AND a.attnum = ANY (x.indkey))
       OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey))
       AS key
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND t.typnamespace = 'pg_catalog'::regnamespace
   AND t.typname IN ('text', 'varchar', 'bpchar', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bool', 'date',
                     'timestamp', 'timestamptz', 'uuid', 'bytea')
 ORDER BY key, a.attnum
"""

_OTHER: Final = {
    "text": "{0} || '~'",
    "varchar": "CASE WHEN left({0}, 1) = '~' THEN '!' ELSE '~' END || substr({0}, 2)",
    "bpchar": "CASE WHEN left({0}, 1) = '~' THEN '!' ELSE '~' END || substr({0}, 2)",
    "int2": "CASE WHEN {0} = 32767 THEN {0} - 1 ELSE {0} + 1 END",
    "int4": "CASE WHEN {0} = 2147483647 THEN {0} - 1 ELSE {0} + 1 END",
    "int8": "CASE WHEN {0} = 9223372036854775807 THEN {0} - 1 ELSE {0} + 1 END",
    "numeric": "{0} + 1",
    "float4": "CASE WHEN {0} = 1 THEN 2 ELSE 1 END",
    "float8": "CASE WHEN {0} = 1 THEN 2 ELSE 1 END",
    "bool": "NOT {0}",
    "date": "CASE WHEN {0} = '2000-01-01' THEN '2000-01-02' ELSE '2000-01-01' END::date",
    "timestamp": "CASE WHEN {0} = '2000-01-01' THEN '2000-01-02' ELSE '2000-01-01' END::timestamp",
    "timestamptz": "CASE WHEN {0} = '2000-01-01' THEN '2000-01-02' ELSE '2000-01-01' END::timestamptz",
    "uuid": "CASE WHEN {0} = '00000000-0000-0000-0000-000000000000' THEN '00000000-0000-0000-0000-000000000001'"
    " ELSE '00000000-0000-0000-0000-000000000000' END::uuid",
    "bytea": "{0} || '\\x00'::bytea",
}

_INDEXES: Final = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indexrelid AND c.relkind = 'i' AND NOT c.relispartition
  JOIN pg_class t ON t.oid = x.indrelid AND t.relkind IN ('r', 'm')
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT x.indisreplident AND NOT x.indisclustered
   AND NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtenabled IN ('A', 'R'))
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
                      AND d.objid IN (c.oid, t.oid))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
 ORDER BY x.indisunique, pg_relation_size(c.oid), n.nspname COLLATE "C", c.relname COLLATE "C"
"""

_ENOUGH: Final = 50
"""tables, or rows, that are tried for one change; where so many refuse, more would"""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A table that holds rows."""

    oid: int
    schema: str
    name: str
    through: tuple[str, str] | None
    """the partitioned table as whose its rows are compared, together with those of other partitions"""

    @property
    def subject(self) -> str:
        return label(*(self.through or (self.schema, self.name)))

    @property
    def quoted(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class _Altered:
    """A value that was altered: the address of its row before, and the statement that did it."""

    leaf: _Leaf
    row: str
    statement: sql.Composed
    planted: Planted


@dataclass(frozen=True, slots=True)
class _Site:
    """The session that plants, in a transaction, and the numbers of the savepoints in which something was changed."""

    connection: psycopg.Connection[Any]
    numbers: set[int] = field(default_factory=set)


def plant(connect: Callable[[], psycopg.Connection[Any]], *, cells: Cells) -> tuple[tuple[Planted, ...], commits.Own]:
    """Alter one value, delete one row of another table where there is one, drop one plain index: as far as there are any.

    All of it is one transaction, which is told, too, with the tables that it wrote to.

    Each change names the subject under which a comparison must show it. A database that has none of them gets a
    table that it must not have, so that the control is never empty. Triggers and foreign keys stay quiet.

    Two different rows that are missing from one cell of a sketch can't be told one by one. Where both changes must share a
    table, `cells` says which rows lie in different ones, so that whoever looks well always finds both.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the copy can't be changed.
    """
    with worded("plant the negative control"), connect() as connection:
        connection.autocommit = True
        _undisturbed(connection)
        with connection.transaction():
            # what is refused is refused at once, inside of its own savepoint
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            site = _Site(connection)
            planted = _planted(site, cells)
            return planted, commits.own(connection, released=site.numbers)


def _undisturbed(connection: psycopg.Connection[Any]) -> None:
    for name, value in (
        ("session_replication_role", "replica"),
        ("search_path", ""),
        ("default_transaction_read_only", "off"),
        ("row_security", "off"),
        ("quote_all_identifiers", "off"),
    ):
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))


def _planted(site: _Site, cells: Cells) -> tuple[Planted, ...]:
    with site.connection.cursor(row_factory=tuple_row) as cursor:
        leaves = [
            _Leaf(oid, schema, name, None if through is None else (through[0], through[1]))
            for oid, schema, name, through in cursor.execute(_TABLES.encode(), (_ENOUGH + 1,)).fetchall()
        ]
        indexes = [str(row[0]) for row in cursor.execute(_INDEXES.encode()).fetchall()]
    found = _rows(site, leaves, cells)
    dropped = next((hit for index in indexes[:_ENOUGH] if (hit := _dropped(site, index))), None)
    if dropped is not None:
        found.append(dropped)
    return tuple(found) or (_added(site),)


def _rows(site: _Site, leaves: Sequence[_Leaf], cells: Cells) -> list[Planted]:
    """One value altered and one row deleted, in two tables where that is possible, so that each change stands alone."""
    altered: _Altered | None = None
    with suppress(psycopg.Rollback), site.connection.transaction():
        altered = next((done for leaf in leaves[:_ENOUGH] if (done := _altered(site, leaf))), None)
        others = [leaf for leaf in leaves if altered is None or leaf.subject != altered.leaf.subject]
        deleted = next((hit for leaf in others if (hit := _deleted(site, leaf))), None)
        if altered is None:
            return [] if deleted is None else [deleted]
        if deleted is not None:
            return [altered.planted, deleted]
        if altered.leaf.through is not None:
            # what is counted together without a sketch can show one difference
            return [altered.planted]
        # the row must be as it was where its cell is looked at
        raise psycopg.Rollback
    return [] if altered is None else _in_one(site, altered, cells)


def _in_one(site: _Site, altered: _Altered, cells: Cells) -> list[Planted]:
    """Both changes in one table, to rows of different cells; where all lie in one, they are copies of one row, or few."""
    leaf = altered.leaf
    listed = sql.SQL("SELECT ctid::text FROM ONLY {} LIMIT {}").format(leaf.quoted, sql.Literal(_ENOUGH))
    with site.connection.cursor(row_factory=tuple_row) as cursor:
        rows = [str(row) for (row,) in cursor.execute(listed).fetchall() if row != altered.row]
    known = cells(leaf.schema, leaf.name, (altered.row, *rows))
    apart = sorted(rows, key=lambda row: known.get(row) == known.get(altered.row))
    found = [altered.planted] if _changed(site, altered.statement) else []
    deleted = next((hit for row in apart if (hit := _deleted(site, leaf, row))), None)
    if deleted is None and not found:
        deleted = _deleted(site, leaf)
    # the altered row is never the one that is deleted: its change would be gone, and one difference told as two
    return found if deleted is None else [*found, deleted]


def _altered(site: _Site, leaf: _Leaf) -> _Altered | None:
    with site.connection.cursor(row_factory=tuple_row) as cursor:
        columns = cursor.execute(_COLUMNS.encode(), (leaf.oid,)).fetchall()
    for column, kind, _ in columns:
        field = sql.Identifier(column)
        other = sql.SQL(_OTHER[kind]).format(field)
        which = sql.SQL(
            "SELECT ctid::text FROM ONLY {} WHERE {} IS NOT NULL AND ({}) IS DISTINCT FROM {} LIMIT 1"
        ).format(leaf.quoted, field, other, field)
        row = _first(site, which)
        if row is None:
            continue
        statement = sql.SQL("UPDATE ONLY {} SET {} = {} WHERE ctid = {}::tid").format(
            leaf.quoted, field, other, sql.Literal(row)
        )
        if _changed(site, statement):
            planted = Planted(f"one value of column {column} altered", leaf.subject, Change.CHANGED)
            return _Altered(leaf, row, statement, planted)
    return None


def _deleted(site: _Site, leaf: _Leaf, row: str = "") -> Planted | None:
    """The first row, or the one at an address."""
    which = (
        sql.SQL("{}::tid").format(sql.Literal(row))
        if row
        else sql.SQL("(SELECT ctid FROM ONLY {} LIMIT 1)").format(leaf.quoted)
    )
    statement = sql.SQL("DELETE FROM ONLY {} WHERE ctid = {}").format(leaf.quoted, which)
    return Planted("one row deleted", leaf.subject, Change.MISSING) if _changed(site, statement) else None


def _dropped(site: _Site, index: str) -> Planted | None:
    """`index` is quoted by the server."""
    return Planted("one index dropped", index) if _did(site, sql.SQL("DROP INDEX " + index)) is not None else None


def _changed(site: _Site, statement: sql.Composed) -> bool:
    """Whether exactly one row was changed."""
    return _did(site, statement) == 1


def _first(site: _Site, question: sql.Composed) -> str | None:
    """The first answer, or None without any, or for a question that was refused."""
    try:
        with site.connection.transaction(), site.connection.cursor(row_factory=tuple_row) as cursor:
            answer = cursor.execute(question).fetchone()
    except psycopg.Error:
        if site.connection.closed:
            raise
        return None
    return None if answer is None else str(answer[0])


def _did(site: _Site, statement: sql.SQL | sql.Composed) -> int | None:
    """Rows that were changed, or None for a statement that was refused (a check, a unique key) and changed nothing."""
    try:
        with site.connection.transaction(), site.connection.cursor(row_factory=tuple_row) as cursor:
            changed: int = cursor.execute(statement).rowcount
            # a savepoint's number can't be asked for once it is released
            site.numbers.update(commits.numbers(site.connection))
            return changed
    except psycopg.Error:
        if site.connection.closed:
            raise
        return None


def _added(site: _Site) -> Planted:
    """A table that the source can't have."""
    schema = "attestore_negative_control"
    site.connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    site.connection.execute(sql.SQL("CREATE TABLE {} ()").format(sql.Identifier(schema, "extra")))
    return Planted("one table added", f"{schema}.extra")
