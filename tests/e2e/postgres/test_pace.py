"""How gently a source is worked: never more sessions than were allowed, and each rests where it was told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres.source import PgSource
from attestore.gate import Operator, Probe
from programme import at_desk
from servers import KEY, Nobody, Server

# of each pair of sessions at work that is looked for, one is at it for a tenth of a second or more
TABLES = (
    "CREATE TABLE first (id int PRIMARY KEY, words text)",
    "INSERT INTO first SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 110000) i",
    "CREATE TABLE second (id int PRIMARY KEY, words text)",
    "INSERT INTO second SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 100000) i",
    "ANALYZE",
)
CHUNKS = 4
"""a table of 50 MiB is read in pieces of 16"""
LARGE = (
    "CREATE TABLE large (words text)",
    "INSERT INTO large SELECT repeat('x', 1950) FROM generate_series(1, 26000)",
    "ANALYZE",
)
SMALL = "DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE small_%s (a int)', i); END LOOP; END $$"
"""more than a session is asked at a time"""


@pytest.mark.parametrize(("sessions", "method"), [(1, "audit"), (2, "audit"), (1, "stream")])
def test_no_more_sessions_are_at_work_than_were_allowed(
    server15: Server, tmp_path: Path, sessions: int, method: str
) -> None:
    with server15.database(*TABLES) as database, at_desk(tmp_path) as desk:
        with _watched(server15, database) as seen:
            ran = desk.attestore(
                *("backup", "--source", server15.conninfo(database), "--system", "shop", "--method", method),
                *("--source-jobs", str(sessions), "--source-pause", "1ms", "--json"),
            )
        assert ran.code == 0, ran.err
        assert '"fact":"source.pause"' in (desk.bundle() / "journal.jsonl").read_text()
    assert max(seen) == sessions


def test_the_leader_works_in_the_place_of_another(server15: Server) -> None:
    """A table that somebody waits for is read by the session that holds its lock, and the others by the crew."""
    with (
        server15.database(*TABLES) as database,
        server15.source(database).snapshot() as snapshot,
        server15.connect(database) as waiter,
        server15.connect(database) as observer,
    ):
        thread = threading.Thread(target=_wait_for, args=(waiter, "first"))
        thread.start()
        for _ in range(500):
            if observer.execute(b"SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                break
            time.sleep(0.02)
        with _watched(server15, database, apart=waiter.info.backend_pid) as seen:
            proof = snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())
        waiter.cancel()
        thread.join()
    assert proof.rows == 210_000
    assert max(seen) == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_session_rests_between_two_chunks_and_has_nothing_to_do_then(server15: Server, jobs: int) -> None:
    rests: list[int] = []
    with server15.database(*LARGE) as database, server15.connect(database) as observer:

        def rest(woken: threading.Event) -> None:
            assert not woken.is_set()
            busy = observer.execute(
                b"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
            )
            rests.append(len(busy.fetchall()))

        source = PgSource(server15.environment(database), rest=rest)
        with source.snapshot() as snapshot:
            proof = snapshot.prove(KEY, probes=(), jobs=jobs, watch=Nobody())
    assert len(rests) == CHUNKS - jobs
    assert jobs > 1 or rests == [0] * (CHUNKS - 1)
    assert proof.rows == 26_000


def test_who_rests_is_woken_when_the_proof_is_stopped(server15: Server) -> None:
    """Somebody stops the run when a table is done, while a session rests before the next one."""
    rests: list[bool] = []
    over = threading.Event()

    def rest(woken: threading.Event) -> None:
        if len(rests) < CHUNKS - 1:
            rests.append(True)
        else:
            rests.append(woken.wait(20))
            over.set()

    class Stopper:
        def phase(self, name: str) -> None:
            del name

        def say(self, text: str) -> None:
            del text

        def progress(self, done: int, total: int, *, unit: str) -> None:
            raise KeyboardInterrupt((done, total, unit))

    with server15.database(*LARGE, SMALL) as database:
        source = PgSource(server15.environment(database), rest=rest)
        with pytest.raises(KeyboardInterrupt), source.snapshot() as snapshot:
            snapshot.prove(KEY, probes=(), jobs=1, watch=Stopper())
        assert over.wait(30)
    assert rests == [True] * CHUNKS


def test_a_session_that_counts_as_one_has_no_helpers(server15: Server) -> None:
    asked = "SELECT 1 WHERE current_setting('max_parallel_workers_per_gather') = '0'"
    probe = Probe(id="alone", title="", sql=asked, operator=Operator.AT_LEAST, bound=1, timeout_ms=30_000)
    with server15.database(*TABLES[:1]) as database:
        for settings, rows in (({}, 0), ({"max_parallel_workers_per_gather": "0"}, 1)):
            source = PgSource(server15.environment(database), settings=settings)
            with source.snapshot() as snapshot:
                proof = snapshot.prove(KEY, probes=(probe,), jobs=1, watch=Nobody())
            assert [each.rows for each in proof.probes] == [rows]


def _wait_for(waiter: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    try:
        waiter.execute(f"BEGIN; LOCK TABLE {table}".encode())
    except psycopg.Error:
        return


@contextmanager
def _watched(server: Server, database: str, *, apart: int = 0) -> Iterator[list[int]]:
    """How many statements went on at once, each time that somebody looked and looked again."""
    over, seen = threading.Event(), [0]

    def look() -> None:
        before: set[tuple[object, ...]] = set()
        with server.connect(database) as session:
            while not over.is_set():
                # one statement may end and another begin while the server looks: both do not go on when it looks again
                now = set(
                    session.execute(
                        b"SELECT pid, query_start FROM pg_stat_activity WHERE datname = current_database()"
                        b" AND state = 'active' AND backend_type IN ('client backend', 'parallel worker')"
                        b" AND pid NOT IN (pg_backend_pid(), %s)" % str(apart).encode()
                    ).fetchall()
                )
                seen.append(len(before & now))
                before = now
                time.sleep(0.003)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
