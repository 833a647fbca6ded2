"""Several sessions on one snapshot that answer many questions: batched, in parallel, and gone when the block ends."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.rows import TupleRow

from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.session import Connect, Session, abandon, worded

__all__ = ["BEGIN", "Answer", "Batch", "Crew", "Question", "batches", "gathered"]

BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

Answer: TypeAlias = list[TupleRow]


@dataclass(frozen=True, slots=True)
class Question:
    """One statement with `$n` parameters; `subject` is what an error names."""

    subject: str
    sql: str
    parameters: tuple[Any, ...] = ()
    weight: int = 0
    """bytes it will read, as far as known"""


Batch: TypeAlias = tuple[Question, ...]

_BATCH: Final = 200
"""questions; more gain nothing and hold more locks at a time"""
_WEIGHT: Final = 16 * 1024 * 1024


def batches(questions: Sequence[Question]) -> tuple[Batch, ...]:
    """Questions in batches of limited number and weight, the heaviest first so that none is left over at the end."""
    cut: list[Batch] = []
    held: list[Question] = []
    weight = 0
    for question in sorted(questions, key=lambda question: -question.weight):
        if held and (len(held) >= _BATCH or weight + question.weight > _WEIGHT):
            cut.append(tuple(held))
            held, weight = [], 0
        held.append(question)
        weight += question.weight
    return (*cut, tuple(held)) if held else tuple(cut)


class Crew:
    """Sessions that share one snapshot."""

    def __init__(self, sessions: Sequence[Session], *, snapshot: str) -> None:
        self._sessions = tuple(sessions)
        self._snapshot = snapshot

    def answers(self, work: Sequence[Batch], *, doing: str) -> Iterator[tuple[Question, Answer]]:
        """Every question with its rows, in the order in which they come.

        Raises:
            PrivilegeError, UnreachableError, ProgramFailedError: told as "cannot <doing> <subject>".
        """
        idle: queue.SimpleQueue[Session] = queue.SimpleQueue()
        for session in self._sessions:
            idle.put(session)

        def carry_out(batch: Batch) -> list[tuple[Question, Answer]]:
            session = idle.get()
            try:
                return _batch(session, batch, snapshot=self._snapshot, doing=doing)
            finally:
                idle.put(session)

        with ThreadPoolExecutor(max_workers=len(self._sessions), thread_name_prefix="crew") as pool:
            futures: list[Future[list[tuple[Question, Answer]]]] = []
            try:
                futures += [pool.submit(carry_out, batch) for batch in work]
                for future in as_completed(futures):
                    yield from future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for session in self._sessions:
                    abandon(session)
                raise


@contextmanager
def gathered(connect: Connect, *, snapshot: str, size: int) -> Iterator[Crew]:
    """A crew of at most `size` sessions for a block; their sessions are closed when it ends."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(closing(connect())) for _ in range(max(1, size))]
        yield Crew(sessions, snapshot=snapshot)


def _batch(session: Session, batch: Batch, *, snapshot: str, doing: str) -> list[tuple[Question, Answer]]:
    """One transaction per batch, so that a session never holds more than a batch's locks."""
    try:
        with worded(f"{doing} ({batch[0].subject} and {len(batch) - 1} more)"), session.pipeline():
            session.execute(BEGIN)
            session.execute(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}".encode())
            cursors = [_sent(session, question) for question in batch]
            session.execute("COMMIT")
            return [
                (question, _fetched(cursor, question, doing=doing))
                for question, cursor in zip(batch, cursors, strict=True)
            ]
    except BaseException:
        _rolled_back(session)
        raise


def _sent(session: Session, question: Question) -> psycopg.RawCursor[TupleRow]:
    cursor: psycopg.RawCursor[TupleRow] = psycopg.RawCursor(session)
    cursor.execute(question.sql.encode(), question.parameters or None)
    return cursor


def _fetched(cursor: psycopg.RawCursor[TupleRow], question: Question, *, doing: str) -> Answer:
    with worded(f"{doing} {question.subject}"):
        return cursor.fetchall()


def _rolled_back(session: Session) -> None:
    if not session.closed and session.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        try:
            session.rollback()
        except psycopg.Error:
            session.close()
