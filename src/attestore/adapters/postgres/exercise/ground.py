"""The ground on which restored code is tried: sessions of the scratch copy whose every transaction is rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow, tuple_row

from attestore.adapters.postgres.session import Connect, Session, abandon, pin, worded
from attestore.adapters.system import SystemClock

__all__ = ["PATIENCE", "Budget", "Ground", "Refusal", "asked", "attempt", "lost", "refusal", "silence"]

PATIENCE: Final = "2s"
"""for one attempt; whatever restored code does meanwhile, it is cancelled then"""

_INTEGRITY: Final = "23"
"""SQLSTATE class: integrity constraint violation"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the server did not carry out a statement; never a value of a row."""

    state: str
    constraint: str
    table: tuple[str, str]
    column: str
    datatype: tuple[str, str]
    context: str

    @property
    def integrity(self) -> bool:
        """Whether a constraint refused, whichever."""
        return self.state.startswith(_INTEGRITY)

    @property
    def words(self) -> str:
        """What refused, for a note."""
        if self.constraint:
            return f"{self.constraint} refused first"
        if self.column:
            return f"NOT NULL of {self.column} refused first"
        return f"refused with SQLSTATE {self.state}"


class Budget:
    """Milliseconds that may be spent on one class of exercises."""

    def __init__(self, milliseconds: int, *, barred: str = "") -> None:
        """`barred` says why nothing at all may be spent."""
        self.words = barred or f"not reached within {milliseconds // 1000} s"
        self._milliseconds = 0 if barred else milliseconds
        self._clock = SystemClock()
        self._begun = self._clock.tick()

    def spent(self) -> bool:
        """Whether nothing is left."""
        return self._clock.tick() - self._begun >= self._milliseconds


class Ground:
    """One session at a time; restored code that ends it only ends its own attempt."""

    def __init__(self, connect: Connect) -> None:
        self.connect = connect
        """opens further sessions like its own"""
        self._session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the session, and whatever it still does."""
        self.interrupt()
        if self._session is not None:
            self._session.close()

    def interrupt(self) -> None:
        """Cancel what the session is doing; may be called by any thread."""
        if self._session is not None:
            abandon(self._session)

    @property
    def major(self) -> int:
        """Major version of the server."""
        return self._live().info.server_version // 10_000

    @contextmanager
    def rolled_back(self, *settings: tuple[str, str]) -> Iterator[psycopg.Cursor[TupleRow]]:
        """A transaction that leaves nothing: constraints are immediate, event triggers asleep, every statement timed.

        Raises:
            psycopg.Error: the session was lost, or the ground could not be laid out.
        """
        session = self._live()
        try:
            with session.transaction(force_rollback=True), session.cursor(row_factory=tuple_row) as cursor:
                for name, value in (("statement_timeout", PATIENCE), ("lock_timeout", PATIENCE), *settings):
                    cursor.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                yield cursor
        finally:
            if session.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
                session.close()

    def _live(self) -> Session:
        if self._session is None or self._session.closed:
            session = self.connect()
            try:
                pin(session, read_only=False)
            except BaseException:
                session.close()
                raise
            self._session = session
        return self._session


def silence(cursor: psycopg.Cursor[TupleRow], *, spare: str = "") -> None:
    """No event trigger fires until the roll-back, except the one that is spared."""
    rows = cursor.execute(
        "SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' AND evtname <> %s"
        " AND pg_catalog.current_setting('event_triggers', true) IS DISTINCT FROM 'off'",
        (spare,),
    ).fetchall()
    for (name,) in rows:
        cursor.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))


def asked(cursor: psycopg.Cursor[TupleRow], statement: str, parameters: Sequence[Any] = ()) -> list[TupleRow]:
    """The rows of one catalogue question."""
    with worded("look for what can be exercised"):
        return cursor.execute(statement.encode(), parameters or None).fetchall()


def attempt(cursor: psycopg.Cursor[TupleRow], *statements: str) -> int | Refusal:
    """Carry out statements and roll them back: rows the last one touched, or why one was refused.

    Raises:
        psycopg.Error: the session was lost on the way.
    """
    touched = 0
    try:
        with cursor.connection.transaction(force_rollback=True):
            for statement in statements:
                # binary: the extended protocol takes one statement and never two, whatever a definition says
                touched = cursor.execute(statement.encode(), binary=True).rowcount
    except psycopg.Error as problem:
        if cursor.connection.closed:
            raise
        return refusal(problem)
    return touched


def refusal(problem: psycopg.Error) -> Refusal:
    """What the server said, without the words that may quote a row."""
    diag = problem.diag
    return Refusal(
        state=problem.sqlstate or "",
        constraint=diag.constraint_name or "",
        table=(diag.schema_name or "", diag.table_name or ""),
        column=diag.column_name or "",
        datatype=(diag.schema_name or "", diag.datatype_name or ""),
        context=diag.context or "",
    )


def lost(problem: psycopg.Error) -> str:
    """Why nothing could be tried, for a note."""
    return f"could not be tried: {f'SQLSTATE {problem.sqlstate}' if problem.sqlstate else 'the session was ended'}"
