"""Hashes of passwords: read at the source for the sealed part of a backup, given back by a recovery that is told to.

They stand in no error, no log of ours and no proof; where we may, the server is asked not to log them either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from psycopg import sql

from attestore.adapters.postgres.session import Session, ask
from attestore.adapters.postgres.world import roles_of

__all__ = ["give", "read"]

_READABLE: Final = "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')"
_HASHES: Final = "SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolpassword IS NOT NULL"
_QUIET: Final = (
    ("log_statement", "none"),
    ("log_min_duration_statement", "-1"),
    ("log_min_duration_sample", "-1"),
    ("log_min_error_statement", "panic"),
    ("track_activities", "off"),
)


def read(session: Session) -> Mapping[str, str] | None:
    """The hash of each role that has one; None where the session may not read them.

    Raises:
        psycopg.Error: the server refused; whoever holds the connection says so in its own words.
    """
    if not ask(session, _READABLE)[0][0]:
        return None
    return {str(name): str(password) for name, password in ask(session, _HASHES)}


def give(
    connection: psycopg.Connection[Any], world: bytes, *, whose: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """LOGIN, and the password hash if there was one, to those of `whose` that could log in, as far as the backup knows.

    The roles that may log in now, and what went wrong, in words that hold no hash.

    Raises:
        TamperedError: `world` is not what `world.read` writes.
    """
    able: list[str] = []
    errors: list[str] = []
    with _unlogged(connection):
        for role in roles_of(world):
            if role.name not in whose or not role.login or not role.known:
                continue
            statement = sql.SQL("ALTER ROLE {} WITH LOGIN PASSWORD {}").format(
                sql.Identifier(role.name), sql.Literal(role.password or None)
            )
            try:
                connection.execute(statement)
            except psycopg.Error as problem:
                # the server's sentence alone: it may quote the statement elsewhere
                errors.append(f"login of role {role.name}: {problem.sqlstate or 'no answer'}, the server refused it")
            else:
                able.append(role.name)
    return tuple(able), tuple(errors)


@contextmanager
def _unlogged(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A block whose statements the server does not write into its log, as far as the session may say so."""
    for name, value in _QUIET:
        # not every major has each of them, and only a superuser may set some
        with suppress(psycopg.Error):
            connection.execute(sql.SQL("SET {} TO {}").format(sql.Identifier(name), sql.Literal(value)))
    try:
        yield
    finally:
        for name, _ in _QUIET:
            with suppress(psycopg.Error):
                connection.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))
