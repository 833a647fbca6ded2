"""Several sessions on one snapshot that answer many questions: batched, in parallel, and gone when the block ends.

Whoever asks for an ACCESS EXCLUSIVE lock (DROP, ALTER, TRUNCATE) waits for the leader, which holds every table, and
makes every later reader wait behind. No server sees a deadlock there, and none would ever go on. So members of the
crew do not wait: what they cannot lock soon, the leader reads, whose locks came first.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors as sqlstate
from psycopg.rows import TupleRow

from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.session import Connect, Session, abandon, held, near, worded
from attestore.errors import PrivilegeError, ProgramFailedError
from attestore.ports import Rest

__all__ = ["BEGIN", "WAIT", "Answer", "Batch", "Crew", "Question", "batches", "gathered", "too_large"]

BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

Answer: TypeAlias = list[TupleRow]
_Answered: TypeAlias = "list[tuple[Question, Answer]]"
_Refused: TypeAlias = "Callable[[Question], None] | None"


@dataclass(frozen=True, slots=True)
class Question:
    """One statement with `$n` parameters; `subject` is what an error names."""

    subject: str
    sql: str
    parameters: tuple[Any, ...] = ()
    weight: int = 0
    """bytes it will read, as far as known"""
    form: str = ""
    """questions of one form have the same columns: small ones with the same parameters may be asked in one statement"""
    binary: bool = False
    """whether values come as the server holds them, not as text; the same for all questions of one form"""


Batch: TypeAlias = tuple[Question, ...]

_BATCH: Final = 200
"""questions; more gain nothing and hold more locks at a time"""
_WEIGHT: Final = 16 * 1024 * 1024
_TOGETHER: Final = 10
"""questions in one statement; a plan for more takes longer than several"""
_LITTLE: Final = 128 * 1024
"""bytes; what reads more takes its time whatever else is saved"""
WAIT: Final = "500ms"
"""after which the leader is asked"""
_TOO_LARGE: Final = "invalid memory alloc request size"


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
    """Sessions that share the snapshot of a leader, each of which rests between two batches where that is wished."""

    def __init__(
        self, leader: Session, sessions: Sequence[Session], *, snapshot: str, rest: Rest | None = None
    ) -> None:
        self._leader = leader
        self._sessions = tuple(sessions)
        self._snapshot = snapshot
        self._rest = rest
        self._worked: set[Session] = set()
        self._over = threading.Event()
        self.near = near(leader)
        """whether bytes from this server cost next to nothing"""

    def answers(
        self, work: Sequence[Batch], *, doing: str, refused: _Refused = None
    ) -> Iterator[tuple[Question, Answer]]:
        """Every question with its rows, in the order in which they come.

        `refused`, from any thread, hears of each question that the server cannot answer because a value would exceed
        1 GB; without it such a question is an error like any other.

        Raises:
            PrivilegeError, UnreachableError, ProgramFailedError: told as "cannot <doing> <subject>".
        """
        idle: queue.SimpleQueue[Session] = queue.SimpleQueue()
        for session in self._sessions:
            idle.put(session)

        def carry_out(batch: Batch) -> _Answered | None:
            with self._turn(idle) as session:
                return _tried(session, batch, snapshot=self._snapshot, doing=doing, refused=refused)

        with ThreadPoolExecutor(max_workers=len(self._sessions), thread_name_prefix="crew") as pool:
            futures: dict[Future[_Answered | None], Batch] = {}
            try:
                futures |= {pool.submit(carry_out, batch): batch for batch in work}
                for future in as_completed(tuple(futures)):
                    # forgotten as soon as heard: the answers of a large table are many
                    batch, answered = futures.pop(future), future.result()
                    del future
                    if answered is None:
                        # in the place of another: no more work at once than there are sessions
                        with self._turn(idle):
                            answered = _asked(self._leader, batch, doing=doing, refused=refused)
                    yield from answered
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                # who rests is woken, and begins nothing more
                self._over.set()
                for session in self._sessions:
                    abandon(session)
                raise

    @contextmanager
    def _turn(self, idle: queue.SimpleQueue[Session]) -> Iterator[Session]:
        """A session that nobody else has, rested if it worked before."""
        session = idle.get()
        try:
            if self._rest is not None and session in self._worked:
                self._rest(self._over)
            if self._over.is_set():
                raise CancelledError
            self._worked.add(session)
            yield session
        finally:
            idle.put(session)


@contextmanager
def gathered(
    leader: Session, connect: Connect, *, snapshot: str, size: int, rest: Rest | None = None
) -> Iterator[Crew]:
    """A crew of `size` sessions beside their leader for a block; they are closed when it ends."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(held(connect())) for _ in range(max(1, size))]
        yield Crew(leader, sessions, snapshot=snapshot, rest=rest)


def _tried(session: Session, batch: Batch, *, snapshot: str, doing: str, refused: _Refused) -> _Answered | None:
    """The batch in a transaction of its own, so that locks are held no longer; None when one could not be had soon."""
    try:
        with worded(f"{doing} {batch[0].subject}"), session.pipeline():
            session.execute(BEGIN)
            session.execute(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}".encode())
            session.execute(f"SET LOCAL lock_timeout = '{WAIT}'".encode())
            sent = [(lot, _sent(session, lot)) for lot in _lots(batch)]
            session.execute("COMMIT")
            return _fetched(sent, doing=doing)
    except (ProgramFailedError, PrivilegeError) as problem:
        _rolled_back(session)
        if isinstance(problem.__cause__, sqlstate.LockNotAvailable):
            return None
        if len(batch) == 1:
            return _without(batch[0], problem, refused)
    except BaseException:
        _rolled_back(session)
        raise
    # a pipeline does not tell which of its questions failed
    each = [_tried(session, (question,), snapshot=snapshot, doing=doing, refused=refused) for question in batch]
    return None if None in each else [pair for answered in each for pair in answered or ()]


def _asked(leader: Session, batch: Batch, *, doing: str, refused: _Refused) -> _Answered:
    try:
        # the snapshot lives as long as the leader's transaction: a question that fails must not end it
        with worded(f"{doing} {batch[0].subject}"), leader.transaction(), leader.pipeline():
            return _fetched([(lot, _sent(leader, lot)) for lot in _lots(batch)], doing=doing)
    except (ProgramFailedError, PrivilegeError) as problem:
        if len(batch) == 1:
            return _without(batch[0], problem, refused)
    each = (_asked(leader, (question,), doing=doing, refused=refused) for question in batch)
    return [pair for answered in each for pair in answered]


def _without(question: Question, problem: ProgramFailedError | PrivilegeError, refused: _Refused) -> _Answered:
    if refused is None or not too_large(problem.__cause__):
        raise problem
    refused(question)
    return []


def too_large(cause: BaseException | None) -> bool:
    """Whether the server could not form a value: none may exceed 1 GB, whatever it is made of."""
    if isinstance(cause, sqlstate.ProgramLimitExceeded):
        return True
    # an internal error, which no server translates
    return isinstance(cause, sqlstate.InternalError_) and _TOO_LARGE in (cause.diag.message_primary or "")


def _lots(batch: Batch) -> Iterator[Batch]:
    """Questions that go into one statement: planning each by itself would take longer than answering it."""
    lot: list[Question] = []
    for question in batch:
        if lot and (len(lot) == _TOGETHER or not _alike(lot[0], question)):
            yield tuple(lot)
            lot = []
        lot.append(question)
    if lot:
        yield tuple(lot)


def _alike(one: Question, other: Question) -> bool:
    little = one.weight <= _LITTLE and other.weight <= _LITTLE
    return little and one.form != "" and (one.form, one.parameters) == (other.form, other.parameters)


def _sent(session: Session, lot: Batch) -> psycopg.RawCursor[TupleRow]:
    sql = lot[0].sql
    if len(lot) > 1:
        # rows of a union come in no certain order
        sql = " UNION ALL ".join(
            f"SELECT {place}, each.* FROM ({question.sql}) each" for place, question in enumerate(lot)
        )
    cursor: psycopg.RawCursor[TupleRow] = psycopg.RawCursor(session)
    cursor.execute(sql.encode(), lot[0].parameters or None, binary=lot[0].binary)
    return cursor


def _fetched(sent: Sequence[tuple[Batch, psycopg.RawCursor[TupleRow]]], *, doing: str) -> _Answered:
    answered: _Answered = []
    for lot, cursor in sent:
        with worded(f"{doing} {lot[0].subject}"):
            rows = cursor.fetchall()
        if len(lot) == 1:
            answered.append((lot[0], rows))
            continue
        answers: list[Answer] = [[] for _ in lot]
        for place, *answer in rows:
            answers[place].append(tuple(answer))
        answered += zip(lot, answers, strict=True)
    return answered


def _rolled_back(session: Session) -> None:
    if not session.closed and session.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        try:
            session.rollback()
        except psycopg.Error:
            session.close()
