"""Sessions whose answers depend on the data alone: one place that opens them, pins them and words their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors as sqlstate
from psycopg.rows import TupleRow

from attestore.adapters.postgres.dsn import Environment
from attestore.errors import (
    AuthenticationError,
    Error,
    PrivilegeError,
    ProgramFailedError,
    UnreachableError,
)
from attestore.proof import Setting

__all__ = [
    "PINNED",
    "Connect",
    "Session",
    "abandon",
    "ask",
    "connect",
    "held",
    "near",
    "opened",
    "pin",
    "pinned",
    "stopped",
    "worded",
]

Session: TypeAlias = psycopg.Connection[TupleRow]
Connect: TypeAlias = Callable[[], Session]
"""opens one more autocommit session on the same database"""

PINNED: Final = (
    ("client_encoding", "UTF8"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("search_path", ""),
    ("row_security", "off"),
    ("synchronize_seqscans", "off"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("xmloption", "content"),
    ("jit", "off"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
)
"""What an answer may depend on, beside the data; equal on both sides and part of the proof."""

_UNTIMED: Final = ("idle_session_timeout", "transaction_timeout")
"""only some majors have them; they end a session, they never change an answer"""

_PATIENCE_S: Final = 10
_AGAIN_S: Final = 0.05
_LAST_WORDS: Final = 600


def connect(environment: Environment) -> Session:
    """A pinned, read-only autocommit session; the caller closes it.

    Raises:
        UnreachableError: nobody answers.
        AuthenticationError: the server refuses the credentials.
    """
    refused: Error
    try:
        connection = psycopg.connect(environment.conninfo, autocommit=True, prepare_threshold=None)
    except psycopg.Error as problem:
        refused = _refusal(problem, environment.label)
    else:
        try:
            pin(connection)
        except BaseException:
            connection.close()
            raise
        return connection
    raise refused


@contextmanager
def opened(environment: Environment) -> Iterator[Session]:
    """A session for a block; whatever ends the block, nothing of it keeps running in the server.

    Raises:
        UnreachableError: nobody answers.
        AuthenticationError: the server refuses the credentials.
    """
    with held(connect(environment)) as connection:
        yield connection


@contextmanager
def held(connection: Session) -> Iterator[Session]:
    """An open session for a block, closed when it ends; whatever ends the block, nothing of it keeps running."""
    try:
        yield connection
    except BaseException:
        abandon(connection)
        raise
    finally:
        connection.close()


def abandon(connection: Session) -> None:
    """Cancel what the session is doing, from any thread; never raises for a server that is gone."""
    if connection.closed or connection.info.transaction_status is not psycopg.pq.TransactionStatus.ACTIVE:
        return
    try:
        connection.cancel_safe(timeout=_PATIENCE_S)
    except psycopg.Error:
        return


def stopped(work: Future[Any], stop: Callable[[], None]) -> None:
    """Return once a thread's work on a session has ended, told to stop as often as that takes.

    Between two statements there is nothing to cancel, and the next one would be asked all the same.
    """
    while not wait((work,), timeout=_AGAIN_S).done:
        stop()


def pin(connection: Session, *, read_only: bool = True) -> None:
    """Set everything that an answer may depend on.

    Until then the database's own search_path is in force: whatever is named here is named with its schema.
    """
    values = [*PINNED, *((name, "0") for name in _UNTIMED)]
    values.append(("default_transaction_read_only", "on" if read_only else "off"))
    names, settings = [name for name, _ in values], [value for _, value in values]
    with worded("pin the session's settings"):
        ask(
            connection,
            "SELECT pg_catalog.set_config(v.name, v.value, false)"
            " FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))"
            " AS v(name, value)"
            " WHERE EXISTS (SELECT FROM pg_catalog.pg_settings s"
            " WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) pg_catalog.lower(v.name))",
            (names, settings),
        )
        # The fingerprint key travels as a parameter; where the role may say so, statement logs must not print it. A parallel
        # worker forgets the client's encoding, and would digest text in the database's own. What is damaged is not empty.
        ask(
            connection,
            "SELECT pg_catalog.set_config(v.name, '0', false) FROM (VALUES"
            " ('log_parameter_max_length', 'is_superuser', 'on', true),"
            " ('log_parameter_max_length_on_error', 'is_superuser', 'on', true),"
            " ('zero_damaged_pages', 'is_superuser', 'on', true), ('ignore_checksum_failure', 'is_superuser', 'on', true),"
            " ('max_parallel_workers_per_gather', 'server_encoding', 'UTF8', false)) AS v(name, of, value, same)"
            " WHERE (pg_catalog.current_setting(v.of) OPERATOR(pg_catalog.=) v.value) OPERATOR(pg_catalog.=) v.same",
        )


def near(connection: Session) -> bool:
    """Whether the server is reached through a socket of this machine, so that it costs next to nothing to carry bytes."""
    return connection.info.host.startswith("/")


def pinned(connection: Session) -> tuple[Setting, ...]:
    """The pinned settings as the server reports them."""
    names = [name for name, _ in PINNED]
    rows = ask(
        connection,
        "SELECT n.name, current_setting(n.name) FROM unnest($1::text[]) WITH ORDINALITY AS n(name, place) ORDER BY place",
        (names,),
    )
    return tuple(Setting("session", str(name), str(value)) for name, value in rows)


def ask(connection: Session, sql: str, parameters: Sequence[Any] = ()) -> list[TupleRow]:
    """All rows of one statement with `$n` parameters; a percent sign in it means nothing."""
    cursor: psycopg.RawCursor[TupleRow] = psycopg.RawCursor(connection)
    with cursor:
        cursor.execute(sql.encode(), parameters or None)
        return cursor.fetchall() if cursor.description is not None else []


@contextmanager
def worded(doing: str) -> Iterator[None]:
    """Turn what the driver raises into the family, told as "cannot <doing>: <the server's words>".

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: by what the reader can do about it.
    """
    try:
        yield
    except psycopg.Error as problem:
        error = _worded(problem, doing)
        raise error from problem


def _worded(problem: psycopg.Error, doing: str) -> Error:
    words = f"cannot {doing}: {_words(problem)}"
    match problem:
        case sqlstate.InsufficientPrivilege():
            return PrivilegeError(
                words,
                hint="Grant the role what it lacks (pg_read_all_data, BYPASSRLS), or use one that may read everything.",
            )
        case sqlstate.OutOfMemory():
            # the server's words may be in any language; memory that is shared runs out of locks alone
            return ProgramFailedError(
                words,
                hint="Raise max_locks_per_transaction on the server, and restart it; if the words are of a single value's"
                " size, the server lacks memory: fewer --jobs need less.",
            )
        case sqlstate.SerializationFailure():
            return ProgramFailedError(
                words, hint="On a standby, set hot_standby_feedback = on or raise max_standby_streaming_delay."
            )
        case psycopg.OperationalError() if problem.sqlstate is None or problem.sqlstate[:2] in {"08", "57"}:
            return UnreachableError(words, hint="Look at the server's log: the session was ended.")
        case _:
            return ProgramFailedError(words)


def _words(problem: psycopg.Error) -> str:
    """The server's sentence alone: details and contexts may quote rows."""
    primary = problem.diag.message_primary or str(problem).partition("\n")[0]
    return primary[:_LAST_WORDS] or type(problem).__name__


_LOGIN: Final = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "no pg_hba.conf entry",
    "pg_hba.conf rejects",
    "is not permitted to log in",
    "requires a valid client",
    "permission denied for database",
)


_PRELOADED: Final = ("could not access file", "could not load library")
_BUSY: Final = ("too many clients", "too many connections", "connection slots are reserved", "is starting up",
                "is shutting down", "not yet accepting connections", "in recovery mode")  # fmt: skip
"""what a server says to somebody whose password it took"""


def _refusal(problem: psycopg.Error, label: str) -> Error:
    """Servers give no SQLSTATE to libpq before the session begins, so their words decide."""
    words = " ".join(line.strip() for line in str(problem).splitlines() if line.strip())[:_LAST_WORDS]
    link = problem.pgconn
    asked = link is not None and bool(link.needs_password or link.used_password)
    if "definition of service" in words:
        return UnreachableError(
            f"{label}: {words}",
            hint="Describe it in ~/.pg_service.conf of this account, or name its file in PGSERVICEFILE. A database is named by dbname=NAME.",
        )
    if "database" in words and "does not exist" in words:
        return UnreachableError(f"{label}: {words}", hint="Look which databases there are with psql --list.")
    if any(clue in words for clue in _PRELOADED):
        return UnreachableError(
            f"{label}: {words}",
            hint="A setting loads a library that the server lacks: ALTER DATABASE … RESET local_preload_libraries"
            " (or session_preload_libraries; or ALTER ROLE …), from another database.",
        )
    if any(clue in words for clue in _BUSY):
        return UnreachableError(f"{label}: {words}", hint="Try again when the server takes sessions.")
    if asked or any(clue in words for clue in _LOGIN) or ("role" in words and "does not exist" in words):
        return AuthenticationError(
            f"{label}: {words}",
            hint="Check role and password (passfile, PGPASSWORD or service), and the server's pg_hba.conf.",
        )
    return UnreachableError(
        f"{label}: {words}", hint="Check host, port and firewall, and that the server is running (pg_isready)."
    )
