"""The negative control: deliberate changes of the restored copy that a comparison must notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from attestore.adapters.postgres.session import worded
from attestore.ports import Planted
from attestore.proof import Change

__all__ = ["plant"]

# Leaf tables that a dump covers and that hold a row at all, smallest first: a control should cost nothing. A trigger or
# rule that acts even for replicas would change more than was planted.
_TABLES: Final = """
SELECT c.oid, n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
   AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled IN ('A', 'R'))
   AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))
   AND pg_relation_size(c.oid) > 0
 ORDER BY c.relispartition, pg_relation_size(c.oid), n.nspname COLLATE "C", c.relname COLLATE "C"
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
"""tables that are tried for one change; where so many refuse, more would"""


def plant(connect: Callable[[], psycopg.Connection[Any]]) -> tuple[Planted, ...]:
    """Alter one value, delete one row of another table where there is one, drop one plain index: as far as there are any.

    Each change names the subject under which a comparison must show it. A database that has none of them gets a
    table that it must not have, so that the control is never empty. Triggers and foreign keys stay quiet.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the copy can't be changed.
    """
    with worded("plant the negative control"), connect() as connection:
        connection.autocommit = True
        return _planted(connection)


def _planted(connection: psycopg.Connection[Any]) -> tuple[Planted, ...]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        for name, value in (
            ("session_replication_role", "replica"),
            ("search_path", ""),
            ("default_transaction_read_only", "off"),
            ("row_security", "off"),
            ("quote_all_identifiers", "off"),
        ):
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
        tables = [(oid, schema, name) for oid, schema, name in cursor.execute(_TABLES.encode()).fetchall()]
        found = []
        altered = next((hit for table in tables[:_ENOUGH] if (hit := _altered(connection, table))), None)
        if altered is not None:
            found.append(altered)
        # another table where possible, so that each change stands alone
        others = sorted(
            tables[: _ENOUGH + 1], key=lambda t: altered is not None and f"{t[1]}.{t[2]}" == altered.subject
        )
        deleted = next((hit for table in others if (hit := _deleted(connection, table))), None)
        if deleted is not None:
            found.append(deleted)
        indexes = [str(row[0]) for row in cursor.execute(_INDEXES.encode()).fetchall()]
    dropped = next((hit for index in indexes[:_ENOUGH] if (hit := _dropped(connection, index))), None)
    if dropped is not None:
        found.append(dropped)
    return tuple(found) or (_added(connection),)


def _altered(connection: psycopg.Connection[Any], table: tuple[int, str, str]) -> Planted | None:
    oid, schema, name = table
    relation = sql.Identifier(schema, name)
    with connection.cursor(row_factory=tuple_row) as cursor:
        columns = cursor.execute(_COLUMNS.encode(), (oid,)).fetchall()
        for column, kind, _ in columns:
            field = sql.Identifier(column)
            other = sql.SQL(_OTHER[kind]).format(field)
            statement = sql.SQL(
                "UPDATE ONLY {} SET {} = {} WHERE ctid = (SELECT ctid FROM ONLY {} WHERE {} IS NOT NULL"
                " AND ({}) IS DISTINCT FROM {} LIMIT 1)"
            ).format(relation, field, other, relation, field, other, field)
            if _changed(connection, statement):
                return Planted(f"one value of column {column} altered", f"{schema}.{name}", Change.CHANGED)
    return None


def _deleted(connection: psycopg.Connection[Any], table: tuple[int, str, str]) -> Planted | None:
    _, schema, name = table
    relation = sql.Identifier(schema, name)
    statement = sql.SQL("DELETE FROM ONLY {} WHERE ctid = (SELECT ctid FROM ONLY {} LIMIT 1)").format(
        relation, relation
    )
    return Planted("one row deleted", f"{schema}.{name}", Change.MISSING) if _changed(connection, statement) else None


def _dropped(connection: psycopg.Connection[Any], index: str) -> Planted | None:
    """`index` is quoted by the server."""
    return Planted("one index dropped", index) if _did(connection, sql.SQL("DROP INDEX " + index)) is not None else None


def _changed(connection: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    """Whether exactly one row was changed."""
    return _did(connection, statement) == 1


def _did(connection: psycopg.Connection[Any], statement: sql.SQL | sql.Composed) -> int | None:
    """Rows that were changed, or None for a statement that was refused (a check, a unique key) and changed nothing."""
    try:
        with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(statement).rowcount
    except psycopg.Error:
        if connection.closed:
            raise
        return None


def _added(connection: psycopg.Connection[Any]) -> Planted:
    """A table that the source can't have."""
    schema = "attestore_negative_control"
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("CREATE TABLE {} ()").format(sql.Identifier(schema, "extra")))
    return Planted("one table added", f"{schema}.extra")
