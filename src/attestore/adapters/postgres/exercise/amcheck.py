"""Indexes, read through by the server's own amcheck: their order, their links, and that no row of a table is missing."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg.rows import TupleRow

from attestore.adapters.postgres.exercise.ground import Ground, silence
from attestore.adapters.postgres.objects import catalogue
from attestore.adapters.postgres.quoting import identifier
from attestore.proof import Did, Exercise, IndexCheck

__all__ = ["exercise"]

_BOUND: Final = 1 << 30
"""bytes of a database up to which every row is looked for in its indexes, unless somebody chose"""

_SETTINGS: Final = (("statement_timeout", "0"), ("maintenance_work_mem", "256MB"))
_OURS: Final = "attestore_amcheck"

_INSTALLED: Final = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'
"""
_AVAILABLE: Final = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck')"
_SIZE: Final = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"
_GIN: Final = "SELECT to_regprocedure(%s) IS NOT NULL"

_INDEXES: Final = """
SELECT r.oid::int8, r.identity, m.amname::text, x.indisvalid AND x.indisready AND x.indislive
  FROM relation r JOIN pg_index x ON x.indexrelid = r.oid JOIN pg_am m ON m.oid = r.relam
 WHERE r.relkind = 'i'
 ORDER BY r.identity COLLATE "C"
"""

_CORRUPT: Final = frozenset({"XX000", "XX001", "XX002"})
"""SQLSTATEs internal_error, data_corrupted, index_corrupted"""


def exercise(ground: Ground, wanted: IndexCheck) -> tuple[str, list[Exercise]]:
    """How deep indexes were looked into and why, and each index: sound, corrupt, or only compared."""
    if wanted is IndexCheck.NONE:
        return "none: not asked for", []
    with ground.rolled_back(*_SETTINGS) as cursor:
        heap, words = _depth(cursor, wanted)
        indexes = catalogue.ask(cursor, _INDEXES)
        if not _has(cursor):
            note = "the server has no amcheck"
            return f"none: {note}", [Exercise("index", row[1], Did.COMPARED, note) for row in indexes]
        schema = _extension(cursor)
        gin = bool(cursor.execute(_GIN.encode(), (f"{schema}.gin_index_check(regclass)",)).fetchall()[0][0])
        asks = {"btree": f"bt_index_check(%s::regclass, {heap})"} | (
            {"gin": "gin_index_check(%s::regclass)"} if gin else {}
        )
        found = [
            Exercise(
                "index",
                identity,
                *(
                    _looked(cursor, f"SELECT {schema}.{asks[method]}".replace("%s", str(oid)))
                    if valid and method in asks
                    else (Did.COMPARED, f"amcheck has no rule for {method}" if valid else "not valid")
                ),
            )
            for oid, identity, method, valid in indexes
        ]
    return words, found


def _depth(cursor: psycopg.Cursor[TupleRow], wanted: IndexCheck) -> tuple[bool, str]:
    if wanted is not IndexCheck.AUTO:
        return wanted is IndexCheck.HEAP, f"{wanted.value}: as asked for"
    size = int(cursor.execute(_SIZE.encode()).fetchall()[0][0])
    chosen = IndexCheck.HEAP if size <= _BOUND else IndexCheck.STRUCTURE
    return chosen is IndexCheck.HEAP, f"{chosen.value}: the database is {'up to' if size <= _BOUND else 'above'} 1 GiB"


def _has(cursor: psycopg.Cursor[TupleRow]) -> bool:
    return bool(cursor.execute(_AVAILABLE.encode()).fetchall()[0][0]) or bool(catalogue.ask(cursor, _INSTALLED))


def _extension(cursor: psycopg.Cursor[TupleRow]) -> str:
    """SQL of the schema that holds amcheck, which is made for as long as the transaction lasts."""
    installed = catalogue.ask(cursor, _INSTALLED)
    if installed:
        return identifier(installed[0][0])
    silence(cursor)
    cursor.execute(f"CREATE SCHEMA {_OURS}".encode())
    cursor.execute(f"CREATE EXTENSION amcheck SCHEMA {_OURS}".encode())
    return _OURS


def _looked(cursor: psycopg.Cursor[TupleRow], statement: str) -> tuple[Did, str]:
    try:
        with cursor.connection.transaction(force_rollback=True):
            cursor.execute(statement.encode())
    except psycopg.Error as problem:
        if cursor.connection.closed:
            raise
        if problem.sqlstate in _CORRUPT:
            return Did.CORRUPT, f"SQLSTATE {problem.sqlstate}"
        return Did.COMPARED, f"could not be read through: SQLSTATE {problem.sqlstate}"
    return Did.SOUND, ""
