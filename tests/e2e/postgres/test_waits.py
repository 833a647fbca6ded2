"""Who keeps us waiting at the source is found in its lock table, and nobody waits without end while a snapshot is held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.postgres.dump import PgDumper
from attestore.adapters.postgres.session import Session
from attestore.adapters.process import Runner
from attestore.errors import ContendedError, ProgramFailedError
from clusters import installation
from servers import KEY, Nobody, Server

GERMAN = r"""#!/bin/sh
{ "$REAL" "$@" 2>&1 >&3; echo $? >"$CODE"; } 3>&1 |
  sed -e 's/canceling statement due to statement timeout/storniere Anfrage wegen Zeitüberschreitung der Anfrage/' >&2
exit "$(cat "$CODE")"
"""


@contextmanager
def begun(server: Server, database: str, statement: str) -> Iterator[Session]:
    """Somebody's transaction that stays open after the statement."""
    with server.connect(database) as session:
        session.execute("SET application_name = 'nightly refresh'")
        session.execute("BEGIN")
        session.execute(statement.encode())
        yield session


def dumper(server: Server, database: str) -> PgDumper:
    return PgDumper(installation(server.major), environment=server.environment(database), runner=Runner())


def test_who_waits_is_heard_of_whatever_language_the_server_speaks(server15: Server, tmp_path: Path) -> None:
    """pg_dump passes the server's words on, here put into German on their way; a retry is due all the same."""
    program = tmp_path / "bin" / "pg_dump"
    program.parent.mkdir()
    real = installation(15).program("pg_dump")
    program.write_text(GERMAN.replace("$REAL", str(real)).replace("$CODE", str(tmp_path / "code")))
    program.chmod(0o755)
    with server15.database("CREATE TABLE t (a int)") as database, server15.connect(database) as other:
        german = PgDumper(
            replace(installation(15), bindir=program.parent),
            environment=server15.environment(database),
            runner=Runner(),
        )
        with server15.source(database).snapshot() as snapshot:
            assert not snapshot.awaited()
            thread = threading.Thread(target=other.execute, args=(b"ALTER TABLE t ADD b int",))
            thread.start()
            with (
                pytest.raises(ContendedError, match="Zeitüberschreitung"),
                german.dumping(snapshot, tmp_path, jobs=1) as dump,
            ):
                dump.finish()
        thread.join(30)


@pytest.mark.parametrize("statement", ["ALTER VIEW v RENAME a TO v", "REFRESH MATERIALIZED VIEW m"])
def test_who_keeps_a_view_locked_is_named_after_our_patience(server: Server, statement: str) -> None:
    """A table's lock was bounded already; a definition is read by a function that locks what it tells of."""
    made = (
        "CREATE TABLE t (a int)",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM t",
    )
    with server.database(*made) as database, server.source(database, patience_s=1).snapshot() as snapshot:
        with begun(server, database, statement) as keeper:
            pid = keeper.info.backend_pid
            with pytest.raises(ProgramFailedError) as problem:
                snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())
        for part in ("within 1 s", f"process {pid} ", "nightly refresh", f"public.{statement[-1]}"):
            assert part in problem.value.message
        assert problem.value.message.count(" holds ") == 1
        assert "pg_terminate_backend" in problem.value.hint


def test_what_a_session_was_pinned_to_is_told_as_ever(server: Server) -> None:
    """The patience that the definitions have is none of what an answer depends on."""
    with server.database("CREATE TABLE t (a int)") as database:
        assert [each.value for each in server.prove(database).session if each.name == "lock_timeout"] == ["0"]


def test_a_dump_that_waits_for_a_view_is_ended_after_our_patience(server: Server, tmp_path: Path) -> None:
    """pg_dump bounds its waiting for tables alone."""
    made = ("CREATE TABLE t (a int)", "CREATE VIEW v AS SELECT a FROM t")
    with (
        server.database(*made) as database,
        server.source(database, patience_s=1).snapshot() as snapshot,
        begun(server, database, "ALTER VIEW v RENAME a TO v") as keeper,
    ):
        with pytest.raises(ProgramFailedError, match=r"public\.v") as problem:  # noqa: SIM117
            with dumper(server, database).dumping(snapshot, tmp_path, jobs=1) as dump:
                dump.finish()
        assert f"process {keeper.info.backend_pid} (postgres, nightly refresh" in problem.value.message
