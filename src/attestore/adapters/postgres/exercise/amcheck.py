"""Indexes, read through by the server's own amcheck: their order, their links, and that no row of a table is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import psycopg
from psycopg.rows import TupleRow

from attestore.adapters.postgres import commits
from attestore.adapters.postgres.exercise.ground import Ground, silence
from attestore.adapters.postgres.objects import catalogue
from attestore.adapters.postgres.quoting import identifier
from attestore.adapters.postgres.session import abandon, held, pin
from attestore.proof import Did, Exercise, IndexCheck

__all__ = ["exercise"]

_Cursor: TypeAlias = psycopg.Cursor[TupleRow]

_BOUND: Final = 1 << 30
"""bytes of a database up to which every row is looked for in its indexes, unless somebody chose"""

_SETTINGS: Final = (("statement_timeout", "0"), ("maintenance_work_mem", "256MB"))
_OURS: Final = "attestore_amcheck"
_MADE: Final = (f"CREATE SCHEMA {_OURS}", f"CREATE EXTENSION amcheck SCHEMA {_OURS}")
_UNMADE: Final = ("DROP EXTENSION IF EXISTS amcheck", f"DROP SCHEMA IF EXISTS {_OURS}")

_INSTALLED: Final = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'
"""
_AVAILABLE: Final = "SELECT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck')"
_SIZE: Final = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())"
_GIN: Final = "SELECT to_regprocedure(%s) IS NOT NULL"

_INDEXES: Final = """
SELECT r.oid::int8, r.identity, m.amname::text, x.indisvalid AND x.indisready AND x.indislive,
       pg_relation_size(r.oid)
  FROM relation r JOIN pg_index x ON x.indexrelid = r.oid JOIN pg_am m ON m.oid = r.relam
 WHERE r.relkind = 'i'
 ORDER BY r.identity COLLATE "C"
"""

_ALWAYS: Final = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled IN ('A', 'R')
                  AND pg_catalog.current_setting('event_triggers', true) IS DISTINCT FROM 'off')
"""
"""event triggers that hear of an extension even where the session is a replica's"""

_MANY: Final = 200
_WEIGHT: Final = 16 << 20
"""indexes, and bytes of them, that one question reads through"""

_CORRUPT: Final = frozenset({"XX000", "XX001", "XX002"})
"""SQLSTATEs internal_error, data_corrupted, index_corrupted"""


@dataclass(frozen=True, slots=True)
class _Index:
    """An index that amcheck has a rule for."""

    oid: int
    identity: str
    method: str
    size: int


def exercise(
    ground: Ground, wanted: IndexCheck, *, committed: Callable[[commits.Own], None], jobs: int = 1
) -> tuple[str, list[Exercise]]:
    """How deep indexes were looked into and why, and each index: sound, corrupt, or only compared.

    What is committed for it is told: the extension that is made for several sessions, and that it is gone again.
    """
    if wanted is IndexCheck.NONE:
        return "none: not asked for", []
    with ground.rolled_back(*_SETTINGS) as cursor:
        heap, words = _depth(cursor, wanted)
        listed = catalogue.ask(cursor, _INDEXES)
        if not _has(cursor):
            note = "the server has no amcheck"
            return f"none: {note}", [Exercise("index", row[1], Did.COMPARED, note) for row in listed]
    with _equipped(ground, jobs=jobs, committed=committed) as (cursors, schema):
        gin = cursors[0].execute(_GIN.encode(), (f"{schema}.gin_index_check(regclass)",)).fetchall()[0][0]
        asks = {"btree": f"{schema}.bt_index_check(i.oid::regclass, {heap})"}
        if gin:
            asks["gin"] = f"{schema}.gin_index_check(i.oid::regclass)"
        able = [_Index(row[0], row[1], row[2], int(row[4])) for row in listed if row[3] and row[2] in asks]
        found = _all(cursors, able, asks=asks)
    others = [
        Exercise("index", identity, Did.COMPARED, f"amcheck has no rule for {method}" if valid else "not valid")
        for _, identity, method, valid, _ in listed
        if not valid or method not in asks
    ]
    return words, [*found, *others]


@contextmanager
def _equipped(
    ground: Ground, *, jobs: int, committed: Callable[[commits.Own], None]
) -> Iterator[tuple[list[_Cursor], str]]:
    """Sessions that have amcheck, and SQL of the schema that holds it; what was made for them is gone afterwards.

    Several sessions see an extension only once it is committed. Where an event trigger would hear of that, one session
    makes it in the transaction that is rolled back.
    """
    with ExitStack() as stack:
        cursor = stack.enter_context(ground.rolled_back(*_SETTINGS))
        installed = catalogue.ask(cursor, _INSTALLED)
        alone = jobs == 1 or (not installed and bool(cursor.execute(_ALWAYS.encode()).fetchall()[0][0]))
        if installed:
            schema = identifier(installed[0][0])
        elif alone:
            silence(cursor)
            for statement in _MADE:
                cursor.execute(statement.encode())
            schema = _OURS
        else:
            stack.enter_context(_committed(ground, told=committed))
            schema = _OURS
        others = 0 if alone else jobs - 1
        grounds = [stack.enter_context(Ground(ground.connect)) for _ in range(others)]
        yield [cursor, *(stack.enter_context(each.rolled_back(*_SETTINGS)) for each in grounds)], schema


@contextmanager
def _committed(ground: Ground, *, told: Callable[[commits.Own], None]) -> Iterator[None]:
    """The extension for as long as the block lasts, made and dropped where no ordinary event trigger hears of it."""
    with held(ground.connect()) as session:
        pin(session, read_only=False)
        session.execute("SET session_replication_role = replica")

        def commit(statements: Sequence[str]) -> None:
            with session.transaction():
                for statement in statements:
                    session.execute(statement.encode())
                told(commits.own(session))

        try:
            commit(_MADE)
            yield
        finally:
            commit(_UNMADE)


def _all(cursors: Sequence[_Cursor], indexes: Sequence[_Index], *, asks: Mapping[str, str]) -> list[Exercise]:
    """Each index once, the largest first, by whichever session is free."""
    waiting = _batches(indexes)

    def work(cursor: _Cursor) -> list[Exercise]:
        found: list[Exercise] = []
        while waiting:
            try:
                batch = waiting.pop()
            except IndexError:
                break
            found += _looked(cursor, batch, ask=asks[batch[0].method])
        return found

    with ThreadPoolExecutor(len(cursors), thread_name_prefix="amcheck") as pool:
        try:
            return [exercise for several in pool.map(work, cursors) for exercise in several]
        except BaseException:
            waiting.clear()
            for cursor in cursors:
                abandon(cursor.connection)
            raise


def _batches(indexes: Sequence[_Index]) -> list[tuple[_Index, ...]]:
    """Indexes of one method at a time, the heaviest batch last."""
    cut: list[tuple[_Index, ...]] = []
    ready: list[_Index] = []
    weight = 0
    for index in sorted(indexes, key=lambda index: (index.method, index.size)):
        full = len(ready) >= _MANY or weight + index.size > _WEIGHT
        if ready and (full or ready[0].method != index.method):
            cut.append(tuple(ready))
            ready, weight = [], 0
        ready.append(index)
        weight += index.size
    if ready:
        cut.append(tuple(ready))
    return sorted(cut, key=lambda batch: sum(index.size for index in batch))


def _depth(cursor: psycopg.Cursor[TupleRow], wanted: IndexCheck) -> tuple[bool, str]:
    if wanted is not IndexCheck.AUTO:
        return wanted is IndexCheck.HEAP, f"{wanted.value}: as asked for"
    size = int(cursor.execute(_SIZE.encode()).fetchall()[0][0])
    chosen = IndexCheck.HEAP if size <= _BOUND else IndexCheck.STRUCTURE
    return chosen is IndexCheck.HEAP, f"{chosen.value}: the database is {'up to' if size <= _BOUND else 'above'} 1 GiB"


def _has(cursor: psycopg.Cursor[TupleRow]) -> bool:
    return bool(cursor.execute(_AVAILABLE.encode()).fetchall()[0][0]) or bool(catalogue.ask(cursor, _INSTALLED))


def _looked(cursor: _Cursor, batch: tuple[_Index, ...], *, ask: str) -> list[Exercise]:
    """One question for many; where the server objects to any of them, one for each."""
    oids = ", ".join(str(index.oid) for index in batch)
    try:
        with cursor.connection.transaction(force_rollback=True):
            cursor.execute(f"SELECT {ask} FROM pg_catalog.unnest(ARRAY[{oids}]::pg_catalog.oid[]) AS i (oid)".encode())
    except psycopg.Error as problem:
        if cursor.connection.closed:
            raise
        if len(batch) > 1:
            return [exercise for index in batch for exercise in _looked(cursor, (index,), ask=ask)]
        if problem.sqlstate in _CORRUPT:
            return [Exercise("index", batch[0].identity, Did.CORRUPT, f"SQLSTATE {problem.sqlstate}")]
        note = f"could not be read through: SQLSTATE {problem.sqlstate}"
        return [Exercise("index", batch[0].identity, Did.COMPARED, note)]
    return [Exercise("index", index.identity, Did.SOUND, "") for index in batch]
