"""Probes: an operator's own read-only questions, answered row by row into a keyed digest."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import errors as sqlstate
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap
from psycopg.rows import TupleRow

from attestore.adapters.postgres.crew import BEGIN, WAIT
from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.session import Session, abandon, ask, worded
from attestore.errors import Error, ProgramFailedError
from attestore.gate import Probe
from attestore.proof import ProbeResult

__all__ = ["answer"]

_DOMAIN: Final = b"attestore/probe-result/v1\n"
_NULL: Final = b"\xff" * 8
_COUNT: Final = re.compile(rb"0|[1-9][0-9]{0,14}")
"""a number that a bound can be compared with"""


def answer(
    session: Session, probes: Sequence[Probe], *, leader: Session, snapshot: str, key: bytes
) -> tuple[ProbeResult, ...]:
    """What each probe returns at the snapshot: number of rows, and a digest of names and values in order.

    Probes are asked in a session of their own. Where somebody who waits for an exclusive lock is in its way, the
    leader, whose locks came first, asks inside a savepoint.

    Raises:
        ProgramFailedError: a probe is not a single query, fails, writes, or takes too long; it is named.
    """
    return tuple(
        _aside(session, probe, snapshot=snapshot, key=key) or _leading(leader, probe, key=key) for probe in probes
    )


class _Bytes:
    """Values as the server wrote them: no date is too far, no number too precise."""

    format = psycopg.pq.Format.TEXT

    def __init__(self, _oid: int, _context: AdaptContext | None = None) -> None: ...

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def _as_bytes(adapters: AdaptersMap) -> None:
    adapters.register_loader(0, _Bytes)
    for known in adapters.types:
        for oid in (known.oid, known.array_oid):
            if oid:
                adapters.register_loader(oid, _Bytes)


def _aside(session: Session, probe: Probe, *, snapshot: str, key: bytes) -> ProbeResult | None:
    """The answer; None when a lock could not be had soon."""
    failed: Error
    try:
        ask(session, BEGIN)
        ask(session, f"SET TRANSACTION SNAPSHOT {literal(snapshot)}")
        ask(session, f"SET LOCAL lock_timeout = '{WAIT}'")
        return _answered(session, probe, key=key)
    except sqlstate.LockNotAvailable:
        return None
    except psycopg.Error as problem:
        failed = _worded(problem, probe)
    finally:
        _ended(session)
    raise failed


def _leading(leader: Session, probe: Probe, *, key: bytes) -> ProbeResult:
    """What a probe sets is gone with the savepoint, and so is what it breaks."""
    failed: Error
    try:
        with leader.transaction(force_rollback=True):
            return _answered(leader, probe, key=key)
    except psycopg.Error as problem:
        failed = _worded(problem, probe)
    raise failed


def _answered(session: Session, probe: Probe, *, key: bytes) -> ProbeResult:
    ask(session, f"SET LOCAL statement_timeout = {int(probe.timeout_ms)}")
    rows, digest, value = _digested(session, probe, key=key)
    return ProbeResult(probe=probe.id, rows=rows, digest=digest, sql=probe.sql, value=value if probe.values else None)


def _digested(session: Session, probe: Probe, *, key: bytes) -> tuple[int, str, int | None]:
    """Rows, their digest, and the one whole number that they are, if they are one."""
    state = hmac.new(key, _DOMAIN, hashlib.sha256)
    names = _described(session, probe)
    state.update(len(names).to_bytes(8, "big"))
    for name in names:
        state.update(len(name).to_bytes(8, "big") + name)
    rows, only = 0, None
    cursor: psycopg.RawCursor[TupleRow] = psycopg.RawCursor(session)
    _as_bytes(cursor.adapters)
    with cursor:
        for row in cursor.stream(probe.sql.encode()):
            rows += 1
            only = row[0] if rows == len(row) == 1 and isinstance(row[0], bytes) and _COUNT.fullmatch(row[0]) else None
            for value in row:
                state.update(_NULL if value is None else len(value).to_bytes(8, "big") + value)
    return rows, state.hexdigest(), None if only is None else int(only)


def _described(session: Session, probe: Probe) -> list[bytes]:
    """The names of its columns, before anything is executed: the server parses it, and refuses a second statement."""
    parsed = session.pgconn.prepare(b"", probe.sql.encode())
    described = session.pgconn.describe_prepared(b"") if parsed.status == psycopg.pq.ExecStatus.COMMAND_OK else parsed
    if described.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise sqlstate.error_from_result(described, encoding="utf-8")
    if not described.nfields:
        raise ProgramFailedError(
            f"probe {probe.id} is not a query: it returns no columns", hint="Write one SELECT, VALUES or WITH query."
        )
    return [described.fname(place) or b"" for place in range(described.nfields)]


def _ended(session: Session) -> None:
    """Roll back: what a probe set in the session is gone with it."""
    abandon(session)
    if not session.closed:
        with worded("end a probe's transaction"):
            session.rollback()


def _worded(problem: psycopg.Error, probe: Probe) -> Error:
    words = problem.diag.message_primary or str(problem).partition("\n")[0]
    hint = ""
    match problem:
        case sqlstate.QueryCanceled():
            hint = f"It was given {probe.timeout_ms} ms; raise the probe's timeout or make it cheaper."
        case sqlstate.UndefinedTable() | sqlstate.UndefinedFunction() | sqlstate.UndefinedObject():
            hint = "The search path is empty: write schema-qualified names, such as public.users."
        case sqlstate.ReadOnlySqlTransaction():
            hint = "A probe reads; it never writes."
        case sqlstate.SyntaxError():
            hint = "Write one query; nothing after it."
        case sqlstate.InsufficientPrivilege():
            hint = "Grant the role what the probe reads."
        case _:
            pass
    return ProgramFailedError(f"probe {probe.id} failed: {words[:600]}", hint=hint)
