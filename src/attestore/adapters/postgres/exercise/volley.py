"""Many statements sent at once and every one undone, each answered by itself: what a round trip for each would cost is saved.

A volley only ever tells what was refused. Whatever else became of a statement, and a session that was lost on the way,
is nobody's verdict: it is tried again with care, one at a time.
"""

from __future__ import annotations

import select
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeAlias

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from attestore.adapters.postgres.exercise.ground import PATIENCE, Budget, Refusal
from attestore.adapters.postgres.session import Connect, Session, held, pin

__all__ = ["Shot", "fired"]

Shot: TypeAlias = tuple[int, str]
"""whose statement it is, and its SQL: one statement, since the extended protocol refuses a second"""

_BYTES: Final = 1 << 16
"""of SQL in one volley"""
_MOST: Final = 200
_LONGEST_WAIT_S: Final = 60.0
"""for any answer: each statement is cancelled by the server long before"""

_HEAD: Final = (b"BEGIN", b"SET CONSTRAINTS ALL IMMEDIATE", b"SAVEPOINT volley")
_AGAIN: Final = b"ROLLBACK TO SAVEPOINT volley"


def fired(connect: Connect, shots: Sequence[Shot], *, jobs: int, budget: Budget) -> Iterator[tuple[int, Refusal]]:
    """The refusals among what was sent, over `jobs` sessions; nothing of any statement stays.

    `connect` opens autocommit sessions as superuser. Shots that are longer than a volley, that the budget does not reach,
    or whose session is lost have no answer.
    """
    volleys = list(_volleys(shots))
    if not volleys:
        return
    sessions = max(1, min(jobs, len(volleys)))
    parts = [volleys[start::sessions] for start in range(sessions)]
    with ThreadPoolExecutor(sessions, thread_name_prefix="volley") as pool:
        try:
            for answered in pool.map(lambda part: _shooting(connect, part, budget=budget), parts):
                yield from answered
        except BaseException:
            for part in parts:
                part.clear()
            raise


def _volleys(shots: Sequence[Shot]) -> Iterator[tuple[Shot, ...]]:
    ready: list[Shot] = []
    weight = 0
    for shot in shots:
        size = len(shot[1])
        if size > _BYTES:
            continue
        if ready and (weight + size > _BYTES or len(ready) >= _MOST):
            yield tuple(ready)
            ready, weight = [], 0
        ready.append(shot)
        weight += size
    if ready:
        yield tuple(ready)


def _shooting(connect: Connect, left: list[tuple[Shot, ...]], *, budget: Budget) -> list[tuple[int, Refusal]]:
    """What is left is taken from the list, so that whoever empties it ends the work."""
    answered: list[tuple[int, Refusal]] = []
    while left and not budget.spent():
        # whatever restored code did to a session, it did to this volley alone: the next one has a new session
        with suppress(psycopg.Error), held(connect()) as session:
            pin(session, read_only=False)
            for name in ("statement_timeout", "lock_timeout"):
                session.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, PATIENCE))
            while left and not budget.spent():
                answered += _answered(session, left.pop())
    return answered


def _answered(session: Session, volley: Sequence[Shot]) -> list[tuple[int, Refusal]]:
    """One transaction in one round trip: every statement behind its own roll-back, the whole rolled back at last.

    Raises:
        psycopg.Error: the session was lost, or does not answer, and is of no further use.
    """
    link = session.pgconn
    sent: list[int | None] = []

    def send(statement: bytes, owner: int | None = None) -> None:
        link.send_query_params(statement, None)
        sent.append(owner)

    link.nonblocking = 1
    link.enter_pipeline_mode()
    for statement in _HEAD:
        send(statement)
    for shooter, sql in volley:
        send(sql.encode(), shooter)
        # an error ends what is sent before the next mark, and no more
        link.pipeline_sync()
        send(_AGAIN)
    send(b"ROLLBACK")
    link.pipeline_sync()
    found: list[tuple[int, Refusal]] = []
    for place, result in _results(session, marks=len(volley) + 1):
        owner = sent[place]
        if result.status != ExecStatus.FATAL_ERROR:
            continue
        if owner is None:
            raise psycopg.OperationalError("the ground gave way")
        found.append((owner, _refusal(result)))
    link.exit_pipeline_mode()
    link.nonblocking = 0
    if session.info.transaction_status is not TransactionStatus.IDLE:
        raise psycopg.OperationalError("the roll-back did not end the transaction")
    return found


def _results(session: Session, *, marks: int) -> Iterator[tuple[int, PGresult]]:
    """What the server answers, each with the place of its statement, until so many marks were passed."""
    link = session.pgconn
    place = 0
    while marks:
        _heard(link)
        result = link.get_result()
        if result is None:
            place += 1
        elif result.status == ExecStatus.PIPELINE_SYNC:
            marks -= 1
        else:
            yield place, result


def _heard(link: PGconn) -> None:
    """Return when the next answer is there; what is still to be sent is sent meanwhile.

    Raises:
        psycopg.OperationalError: the session was lost, or nothing came for too long.
    """
    while True:
        waiting = link.flush()
        if not waiting and not link.is_busy():
            return
        readable, writable, _ = select.select([link.socket], [link.socket] if waiting else [], [], _LONGEST_WAIT_S)
        if not readable and not writable:
            raise psycopg.OperationalError("no answer")
        if readable:
            link.consume_input()


def _refusal(result: PGresult) -> Refusal:
    def field(code: DiagnosticField) -> str:
        return (result.error_field(code) or b"").decode("utf-8", "replace")

    return Refusal(
        state=field(DiagnosticField.SQLSTATE),
        constraint=field(DiagnosticField.CONSTRAINT_NAME),
        table=(field(DiagnosticField.SCHEMA_NAME), field(DiagnosticField.TABLE_NAME)),
        column=field(DiagnosticField.COLUMN_NAME),
        datatype=(field(DiagnosticField.SCHEMA_NAME), field(DiagnosticField.DATATYPE_NAME)),
        context=field(DiagnosticField.CONTEXT),
    )
