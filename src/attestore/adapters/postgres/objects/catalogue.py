"""One way of asking the catalogue: set-based, read-only, independent of OIDs and of whatever the session had set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.rows import tuple_row

__all__ = ["SINCE_15", "SINCE_18", "ask", "pinned"]

SINCE_15: Final = 150_000
"""PostgreSQL 15, as libpq counts versions"""
SINCE_18: Final = 180_000

_PINNED: Final = (
    ("search_path", ""),
    ("quote_all_identifiers", "off"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("standard_conforming_strings", "on"),
    ("jit", "off"),
    ("check_function_bodies", "off"),
)

_OURS: Final = """
WITH space AS MATERIALIZED (
  SELECT oid, quote_ident(nspname) AS name, nspowner, nspacl
    FROM pg_catalog.pg_namespace
   WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), owned_by_extension AS MATERIALIZED (
  SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), relation AS MATERIALIZED (
  SELECT c.oid, s.name || '.' || quote_ident(c.relname) AS identity, c.relkind, c.relpersistence, c.relowner, c.relacl,
         c.reloptions, c.reloftype, c.relam, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispartition,
         c.relpartbound, c.reltoastrelid, c.relispopulated, c.reltype
    FROM pg_catalog.pg_class c JOIN space s ON s.oid = c.relnamespace
   WHERE c.relpersistence <> 't'
     AND c.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_catalog.pg_class'::regclass)
)
"""
"""What is ours to compare: `space` (schemas), `relation` (relations that no extension owns)."""


@contextmanager
def pinned(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """A cursor whose session settings decide nothing about how definitions read; everything is rolled back.

    Works inside a caller's transaction (as a savepoint) and outside one.
    """
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        for name, value in _PINNED:
            cursor.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        yield cursor


def ask(cursor: psycopg.Cursor[tuple[Any, ...]], question: str) -> list[tuple[Any, ...]]:
    """The rows of a question that may use `space`, `owned_by_extension` and `relation`."""
    return cursor.execute((_OURS + question).encode()).fetchall()
