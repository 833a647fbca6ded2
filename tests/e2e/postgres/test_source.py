"""The source as it says itself, everything that stands in a backup's way, and a snapshot that nothing slips past."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.source import PgSource
from attestore.errors import AuthenticationError, PlanError, PrivilegeError, ProgramFailedError, UnreachableError
from attestore.gate import Operator, Probe
from servers import KEY, Nobody, Server, there_and_back

CANARY = "canary:pass\\word '\" ü"


def test_a_source_describes_itself(server: Server) -> None:
    with server.database("CREATE TABLE t (a int)", "CREATE EXTENSION citext") as database:
        facts = server.source(database).describe()
        assert server.source(database).problems() == ()
    assert (facts.database, facts.user, facts.major, facts.tables, facts.superuser) == (
        database,
        "postgres",
        server.major,
        1,
        True,
    )
    assert facts.version.startswith(str(server.major))
    assert facts.identifier.isdigit()
    assert facts.size > 1_000_000
    assert (facts.locale.encoding, facts.locale.provider, facts.locale.collate) == ("UTF8", "libc", "C.UTF-8")
    assert [name for name, _ in facts.extensions] == ["citext", "plpgsql"]


def test_a_password_in_the_source_logs_in_and_is_told_nowhere(server: Server) -> None:
    escaped = CANARY.replace("'", "''")
    with server.role(f"LOGIN PASSWORD '{escaped}'") as role, server.database() as database:
        environment = server.environment(database, user=role, password=CANARY)
        assert PgSource(environment).describe().user == role
        told = f"{environment!r} {environment} {environment.conninfo} {dict(environment.variables)}"
    assert "canary" not in told


def test_a_wrong_password_an_unknown_role_and_no_server_are_three_different_things(server: Server) -> None:
    with server.role("LOGIN PASSWORD 'right'") as role:
        with pytest.raises(AuthenticationError, match="password authentication failed") as refused:
            server.source("postgres", user=role, password="canary-wrong").describe()
        assert "canary" not in f"{refused.value} {refused.value.hint}"
    with pytest.raises(AuthenticationError):
        server.source("postgres", user="nobody at all", password="x").describe()
    with pytest.raises(UnreachableError, match="does not exist"):
        server.source("no such database").describe()
    nowhere = dsn.read("host=/nonexistent dbname=x password=canary", folder=server.folder, environ={})
    with pytest.raises(UnreachableError) as unreachable:
        PgSource(nowhere).describe()
    assert "canary" not in str(unreachable.value)
    assert unreachable.value.hint
    (problem,) = PgSource(nowhere).problems()
    assert isinstance(problem, UnreachableError)
    (server.folder / "passfile").unlink()


def test_a_library_that_is_not_there_is_no_wrong_password(server: Server) -> None:
    with server.role("LOGIN PASSWORD 'x'") as role, server.database() as database:
        server.run(database, f"ALTER DATABASE {database} SET local_preload_libraries = 'gone'")
        with pytest.raises(UnreachableError, match="could not access file") as refused:
            server.source(database, user=role, password="x").describe()
    assert "RESET local_preload_libraries" in refused.value.hint


def test_what_is_fine_is_told_too(server: Server) -> None:
    made = (
        "CREATE TABLE t (a xml)",
        "CREATE SEQUENCE s",
        "SELECT lo_create(0)",
        'ALTER TABLE t ADD b text COLLATE "C"',
    )
    with server.database(*made) as database:
        looks = server.source(database).looks()
        assert server.source(database).describe().features == ("libxml",)
    assert not any(look.problems or look.advice for look in looks)
    assert len({(look.area, look.what) for look in looks}) == len(looks)
    seen = {look.what: look.seen for look in looks}
    assert seen["tables readable"] == "1 table"
    assert seen["sequences readable"] == "1 sequence"
    assert seen["large objects readable"] == "1 large object"
    assert seen["standby"] == "no"
    assert seen["clock"].endswith("this machine's")


def test_everything_that_stands_in_the_way_is_listed_at_once(server: Server) -> None:
    made = [f"CREATE TABLE secret{number:02} (a int)" for number in range(12)]
    made += ["CREATE TABLE mine (a int)", "CREATE SEQUENCE counter", "SELECT lo_create(4711)"]
    made += ["CREATE TABLE filtered (a int)", "ALTER TABLE filtered ENABLE ROW LEVEL SECURITY"]
    with server.role("LOGIN PASSWORD 'x'") as role, server.database(*made) as database:
        server.run(database, f"GRANT SELECT ON mine, filtered TO {role}")
        source = server.source(database, user=role, password="x")
        problems = source.problems()
        with pytest.raises(PrivilegeError), source.snapshot():
            pass
        server.run(
            database, f"GRANT pg_read_all_data TO {role}", f"ALTER ROLE {role} BYPASSRLS",
            f"GRANT SELECT ON LARGE OBJECT 4711 TO {role}",
        )  # fmt: skip
        assert source.problems() == ()
        server.run(
            database, f"REVOKE ALL ON LARGE OBJECT 4711 FROM {role}", f"REVOKE SELECT ON mine, filtered FROM {role}"
        )
    sentences = [problem.message for problem in problems]
    assert all(isinstance(problem, PrivilegeError) and problem.hint for problem in problems)
    assert sentences == [
        f"role {role} cannot read 12 tables: "
        + ", ".join(f"public.secret{number:02}" for number in range(10))
        + " and 2 more",
        f"role {role} cannot read 1 sequence: public.counter",
        f"role {role} cannot read 1 large object: large object.4711",
        f"role {role} may see only some rows of 1 table (row level security): public.filtered",
    ]


@pytest.mark.parametrize("setting", ["zero_damaged_pages", "ignore_checksum_failure"])
def test_a_source_that_reads_damaged_pages_as_empty_is_not_backed_up(server: Server, setting: str) -> None:
    """The proof and the dump would both miss the rows, and a copy without them would be equal."""
    with server.role("LOGIN PASSWORD 'x'") as role, server.database("CREATE TABLE t (a int)") as database:
        server.run(database, f"GRANT SELECT ON t TO {role}")
        asked = {"by its database": ("", f"DATABASE {database}"), "by its role": (role, f"ROLE {role}")}
        for user, whose in asked.values():
            source = server.source(database, user=user, password="x" if user else "")
            assert source.problems() == ()
            server.run("postgres", f"ALTER {whose} SET {setting} = on")
            (problem,) = source.problems()
            assert setting in problem.message
            server.run("postgres", f"ALTER {whose} RESET {setting}")


def test_a_damaged_page_is_an_error_whatever_a_superuser_had_set(server: Server) -> None:
    with server.database("CREATE TABLE t AS SELECT generate_series(1, 2000) a") as sound:
        server.run("postgres", "CHECKPOINT", f"CREATE DATABASE bad TEMPLATE {sound} STRATEGY file_copy")
        try:
            with server.connect("bad") as session:
                ((where,),) = session.execute(
                    "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('t')"
                )
            with Path(where).open("r+b") as file:
                file.seek(8192 + 12)
                file.write(b"\xff" * 6)
            server.run("bad", "ALTER DATABASE bad SET zero_damaged_pages = on")
            with pytest.raises(ProgramFailedError, match="invalid page"):
                server.prove("bad")
        finally:
            server.run("postgres", "DROP DATABASE bad")


def test_names_that_are_no_text_are_told_before_anything_happens(server: Server) -> None:
    """In a SQL_ASCII database a name is any bytes; the rows may be, too, and are compared."""
    server.run("postgres", "CREATE DATABASE mute TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with server.connect("mute") as session:
            session.execute("SET client_encoding = 'SQL_ASCII'")
            for statement in (
                b'CREATE TABLE "caf\xe9" (a int)',
                b"CREATE TABLE t (\"h\xc3\xa9\" int, b text DEFAULT '\xe9')",
                b"COMMENT ON TABLE t IS '\xff'",
                b"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT '\xe9'::text$$",
                b"INSERT INTO t VALUES (1, '\xe8')",
            ):
                session.pgconn.exec_(statement)
            (problem,) = server.source("mute").problems()
            for statement in (
                b'ALTER TABLE "caf\xe9" RENAME TO "caf\xc3\xa9"',
                b"ALTER TABLE t ALTER b DROP DEFAULT",
                b"COMMENT ON TABLE t IS NULL",
                b"DROP FUNCTION f()",
            ):
                session.pgconn.exec_(statement)
        assert isinstance(problem, PlanError)
        assert problem.message.endswith(
            "no UTF-8: column public.caf\\xe9.a, the definition of column public.t.b, comment on table public.t,"
            " the definition of function public.f, table public.caf\\xe9"
        )
        assert "SET client_encoding" in problem.hint
        assert server.source("mute").problems() == ()
        assert [(table.name, table.rows) for table in server.prove("mute").tables] == [("café", 0), ("t", 1)]
    finally:
        server.run("postgres", "DROP DATABASE mute WITH (FORCE)")


def test_hidden_rows_stop_the_proof_too(server: Server) -> None:
    """Whoever ignores the problems still never gets a fingerprint of half a table."""
    made = ("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY half ON t USING (a = 1)")  # fmt: skip
    with server.role("LOGIN PASSWORD 'x'") as role, server.database(*made) as database:
        server.run(database, f"GRANT SELECT ON t TO {role}")
        with (
            server.source(database, user=role, password="x").snapshot() as snapshot,
            pytest.raises(PrivilegeError, match=r"public\.t"),
        ):
            snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())


def test_rows_that_move_and_are_truncated_while_we_wait_for_the_lock_are_counted_once(server: Server) -> None:
    """With the snapshot before the lock, both tables would be empty: a false 0 = 0."""
    made = ("CREATE TABLE a (x int)", "CREATE TABLE b (x int)", "INSERT INTO a SELECT generate_series(1, 1000)")
    with server.database(*made) as database, server.connect(database) as mover, server.connect(database) as observer:
        mover.execute("BEGIN")
        mover.execute("INSERT INTO b SELECT * FROM a")
        mover.execute("TRUNCATE a")
        rows: list[int] = []

        def take() -> None:
            rows.append(server.prove(database).rows)

        thread = threading.Thread(target=take)
        thread.start()
        _until(observer, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass)")
        mover.execute("COMMIT")
        thread.join(30)
    assert rows == [1000]


def test_nobody_can_truncate_or_alter_a_table_under_the_snapshot(server: Server) -> None:
    made = (
        "CREATE TABLE t (a int)",
        "CREATE TABLE p (a int) PARTITION BY LIST (a)",
        "CREATE TABLE p1 PARTITION OF p DEFAULT",
    )
    with server.database(*made) as database, server.connect(database) as other, server.source(database).snapshot():
        other.execute("SET lock_timeout = '100ms'")
        for statement in (
            "TRUNCATE t",
            "DROP TABLE t",
            "ALTER TABLE t ADD b int",
            "ALTER TABLE p DETACH PARTITION p1",
            "TRUNCATE p1",
        ):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(statement)


def test_writers_at_full_speed_change_nothing_of_what_was_proved(server: Server, tmp_path: Path) -> None:
    made = (
        "CREATE TABLE parent (id bigserial PRIMARY KEY, x int)",
        "CREATE TABLE child (id bigserial PRIMARY KEY, parent bigint REFERENCES parent, note text)",
        "INSERT INTO parent (x) SELECT generate_series(1, 2000)",
        "INSERT INTO child (parent, note) SELECT g, repeat('x', 100) FROM generate_series(1, 2000) g",
    )
    writes = (
        "INSERT INTO parent (x) VALUES (0)",
        "INSERT INTO child (parent, note) SELECT max(id), 'new' FROM parent",
        "UPDATE child SET note = note || '!' WHERE id % 97 = 0",
        "DELETE FROM child WHERE id IN (SELECT id FROM child ORDER BY random() LIMIT 3)",
    )
    with server.database(*made) as database, _busy(server, database, writes) as done:
        time.sleep(0.2)
        _, restored, found = there_and_back(server, database, tmp_path)
    assert done[0] > 10
    assert [item for item in found.differences if item.kind in {"table", "sequence", "foreign key"}] == []
    assert {key.checked for key in restored.foreign_keys} == {True}
    assert len(found.sequences) == 2


def test_tables_that_come_and_go_do_not_stop_a_snapshot(server: Server) -> None:
    writes = ("CREATE TABLE fleeting (a int)", "SELECT pg_sleep(0.02)", "DROP TABLE fleeting", "SELECT pg_sleep(0.02)")
    with server.database("CREATE TABLE t (a int)") as database, _busy(server, database, writes) as done:
        for _ in range(4):
            with server.source(database).snapshot() as snapshot:
                proof = snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())
            assert {table.name for table in proof.tables} >= {"t"}
    assert done[0] > 1


def test_a_lock_that_somebody_keeps_is_told_with_who_keeps_it(server: Server) -> None:
    with server.database('CREATE TABLE "kept | back" (a int)') as database, server.connect(database) as keeper:
        keeper.execute("SET application_name = 'migration'")
        keeper.execute("BEGIN")
        keeper.execute('LOCK TABLE "kept | back"')
        with (
            pytest.raises(ProgramFailedError, match="within 1 s") as problem,
            server.source(database, patience_s=1).snapshot(),
        ):
            pass
        pid = keeper.info.backend_pid
    for part in ("kept | back", "migration", f"process {pid} ", "postgres"):
        assert part in problem.value.message
    assert problem.value.hint


def test_a_snapshot_says_when_and_where_it_was_taken(server: Server) -> None:
    with server.database("CREATE TABLE t (a int)") as database, server.source(database).snapshot() as snapshot:
        assert snapshot.taken.endswith("Z")
        assert len(snapshot.taken) == len("2026-01-01T00:00:00.000Z")
        assert "/" in snapshot.lsn
        assert b"canary" not in snapshot.globals()
        with server.connect(database) as other:
            other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.name}'".encode())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A suite that was started in the background inherits an ignored SIGINT."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_no_query_behind(server: Server) -> None:
    slow = Probe(id="slow", title="", sql="SELECT pg_sleep(60)", operator=Operator.AT_LEAST, bound=1, timeout_ms=90_000)
    with server.database("CREATE TABLE t (a int)") as database, server.connect() as observer:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(1.0, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt), server.source(database).snapshot() as snapshot:
            snapshot.prove(KEY, probes=(slow,), jobs=1, watch=Nobody())
        timer.join()
        _until(observer, f"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{database}')")


def _until(session: psycopg.Connection[tuple[object, ...]], question: str) -> None:
    for _ in range(500):
        row = session.execute(question.encode()).fetchone()
        if row == (True,):
            return
        time.sleep(0.02)
    raise AssertionError(question)


@contextmanager
def _busy(server: Server, database: str, statements: tuple[str, ...]) -> Iterator[list[int]]:
    """Somebody else repeats the statements until the block ends."""
    stop = threading.Event()
    done = [0]

    def work() -> None:
        with server.connect(database) as connection:
            while not stop.is_set():
                for statement in statements:
                    connection.execute(statement.encode())
                done[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
