"""A restore into a server that exists already: nothing there is touched but what the run made, and that goes again."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.existing import PgExisting, Remote, sweep
from attestore.adapters.process import Runner
from attestore.errors import PlanError, ScratchError
from attestore.evidence import Locale
from attestore.ports import SourceFacts
from clusters import installation, running_server
from programme import Desk, at_desk

GATE = ("--gate", "S9-PROD-004")
SCHEMA = """
CREATE ROLE keeper LOGIN PASSWORD 'canary' CREATEDB;
CREATE ROLE reader NOLOGIN;
COMMENT ON ROLE reader IS 'may look';
GRANT reader TO keeper;
ALTER ROLE keeper SET work_mem = '8MB';
CREATE SCHEMA app AUTHORIZATION keeper;
CREATE TABLE app.items (id int PRIMARY KEY, word text NOT NULL);
ALTER TABLE app.items OWNER TO keeper;
GRANT SELECT ON app.items TO reader;
CREATE TABLE app.parts (item int REFERENCES app.items, n int);
INSERT INTO app.items SELECT n, 'word ' || n FROM generate_series(1, 500) n;
INSERT INTO app.parts SELECT n, n FROM generate_series(1, 500) n;
COMMENT ON DATABASE app IS 'the application';
"""
ROLES = """SELECT rolname, rolcanlogin, rolcreatedb, shobj_description(oid, 'pg_authid')
             FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1"""
FACTS = SourceFacts(
    database="app",
    user="postgres",
    version="15.1",
    major=15,
    identifier="1",
    size=1 << 20,
    locale=Locale(encoding="UTF8", provider="libc", collate="C.UTF-8", ctype="C.UTF-8", locale=""),
    extensions=(("plpgsql", "1.0"),),
    tables=1,
    superuser=True,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A source, and another server that runs already."""

    source: Connection
    there: Connection

    def state(self) -> tuple[object, ...]:
        """Everything on the other server that a run could have touched."""
        with self.there.connect() as session:
            return (
                session.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall(),
                session.execute(ROLES.encode()).fetchall(),
                session.execute("SELECT * FROM pg_db_role_setting").fetchall(),
                session.execute("SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members").fetchall(),
            )


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with running_server() as source, running_server() as there:
        with source.connect() as session:
            session.execute(SCHEMA.encode())
        yield Pair(source, there)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


def backed_up(desk: Desk, pair: Pair) -> None:
    ran = desk.attestore("backup", "--source", pair.source.conninfo, "--system", "app")
    assert ran.code == 0, ran.err


def drilled(pair: Pair) -> tuple[str, ...]:
    return ("drill", "--system", "app", "--into", pair.there.conninfo, *GATE, "--json")


def observed(desk: Desk, fact: str) -> list[str]:
    lines = (desk.bundle() / "journal.jsonl").read_text().splitlines()
    return [line for line in lines if f'"{fact}"' in line]


def test_a_drill_into_another_server_passes_and_leaves_nothing_there(desk: Desk, pair: Pair) -> None:
    backed_up(desk, pair)
    before = pair.state()
    ran = desk.attestore(*drilled(pair))
    assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    assert pair.state() == before
    assert '"existing server"' in observed(desk, "target.network")[0]
    assert "true" in observed(desk, "teardown.complete")[0]
    assert "canary" not in "".join(path.read_text(errors="replace") for path in desk.bundle().rglob("*.json*"))
    report = (desk.bundle() / "S9-PROD-004.md").read_text()
    assert "Restored into an existing server; it was not isolated from the network" in report
    # what the copy defines would run beside somebody's data
    assert '"value":0' in observed(desk, "constraints.exercised")[0]
    assert "nothing is tried on a server that was there before the run" in report
    assert desk.attestore("audit", "reports").code == 0


def test_a_role_that_is_there_already_is_used_and_its_difference_is_told(desk: Desk, pair: Pair) -> None:
    with pair.there.connect() as session:
        session.execute("CREATE ROLE keeper LOGIN PASSWORD 'theirs' NOCREATEDB")
        session.execute("COMMENT ON ROLE keeper IS 'not yours'")
    try:
        backed_up(desk, pair)
        before = pair.state()
        ran = desk.attestore(*drilled(pair))
        assert (ran.code, ran.result["outcome"]) == (1, "FAIL"), ran.out + ran.err
        assert pair.state() == before
        report = (desk.bundle() / "S9-PROD-004.md").read_text().replace("\\", "")
        assert "role keeper: attributes" in report
        with psycopg.connect(psycopg.conninfo.make_conninfo(pair.there.conninfo, user="keeper", password="theirs")):
            pass
    finally:
        with pair.there.connect() as session:
            session.execute("DROP ROLE keeper")


def test_the_source_itself_is_refused_before_anything_happens(desk: Desk, pair: Pair) -> None:
    ran = desk.attestore("run", "--source", pair.source.conninfo, "--into", pair.source.conninfo, *GATE, "--json")
    assert ran.code == PlanError.exit_code, ran.out + ran.err
    assert "the source's own cluster" in ran.err
    assert not list(desk.store.rglob("manifest.json"))
    with pair.source.connect() as session:
        assert session.execute("SELECT count(*) FROM pg_database WHERE datname ~ '^restored_'").fetchall() == [(0,)]


def test_a_target_that_was_not_shown_to_be_another_server_never_starts(pair: Pair, tmp_path: Path) -> None:
    environment = dsn.read(pair.there.conninfo, folder=tmp_path, environ={})
    made = PgExisting(environment, client=installation(), runner=Runner(), jobs=1)
    with pytest.raises(ScratchError, match="not shown"), made.start(FACTS.locale, database_size=1):
        pass


@contextmanager
def somebody(pair: Pair, *statements: str) -> Iterator[dsn.Environment]:
    """A role of the other server that is no superuser, as a drill reaches it."""
    with pair.there.connect() as session, tempfile.TemporaryDirectory() as folder:
        session.execute(
            "CREATE ROLE guest LOGIN CREATEDB PASSWORD 'guest'; GRANT EXECUTE ON FUNCTION pg_control_system() TO guest"
        )
        for statement in statements:
            session.execute(statement.encode())
        try:
            conninfo = psycopg.conninfo.make_conninfo(
                pair.there.conninfo, user="guest", password="guest", passfile=None
            )
            yield dsn.read(conninfo, folder=Path(folder), environ={}, everywhere=True)
        finally:
            session.execute("DROP OWNED BY guest; DROP ROLE guest")


GRANT = "GRANT SET ON PARAMETER session_replication_role TO guest"


def test_who_may_not_keep_triggers_quiet_is_told_before_anything_is_restored(pair: Pair) -> None:
    """The restore went all the way, and ended without a verdict at the negative control."""
    with somebody(pair) as environment:
        (problem,) = PgExisting(environment, client=installation(), runner=Runner(), jobs=1).problems(FACTS)
        assert "may not keep the copy's triggers from firing" in problem.message
        assert f"{GRANT[:-5]}" in problem.hint
    with somebody(pair, GRANT) as environment:
        assert PgExisting(environment, client=installation(), runner=Runner(), jobs=1).problems(FACTS) == ()


def test_a_role_without_superuser_gets_a_verdict(desk: Desk, pair: Pair) -> None:
    backed_up(desk, pair)
    before = pair.state()
    with somebody(pair, GRANT) as environment:
        ran = desk.attestore(*drilled(pair)[:4], environment.conninfo, *GATE, "--json")
    assert (ran.result["outcome"], ran.result["stopped"]) == ("FAIL", None), ran.err
    assert pair.state() == before


def test_a_role_that_may_only_read_is_told_before_anything_is_restored(pair: Pair) -> None:
    with somebody(pair, GRANT, "ALTER ROLE guest SET default_transaction_read_only = on") as environment:
        (problem,) = PgExisting(environment, client=installation(), runner=Runner(), jobs=1).problems(FACTS)
    assert "read only" in problem.message
    assert "RESET default_transaction_read_only" in problem.hint


def test_two_runs_never_share_a_server(pair: Pair, tmp_path: Path) -> None:
    """One restored with the roles that the other had made, which told them apart and could not drop them."""
    environment = dsn.read(pair.there.conninfo, folder=tmp_path, environ={})
    one, other = (PgExisting(environment, client=installation(), runner=Runner(), jobs=1) for _ in range(2))
    assert (one.problems(FACTS), other.problems(FACTS)) == ((), ())
    with one.start(FACTS.locale, database_size=1):  # noqa: SIM117
        with pytest.raises(ScratchError, match="another run"), other.start(FACTS.locale, database_size=1):
            pass
    with other.start(FACTS.locale, database_size=1):
        pass


def test_what_a_role_sets_for_itself_changes_nothing_of_what_we_ask(pair: Pair) -> None:
    """With backslashes that escape, the pattern by which our marks are known was no pattern."""
    settings = ("standard_conforming_strings = off", "client_encoding = 'SQL_ASCII'", "lock_timeout = 1")
    with somebody(pair, *(f"ALTER ROLE guest SET {each}" for each in settings)) as environment:
        assert sweep(environment) == ()
        with Remote(environment).connect() as session:
            told = session.execute("SELECT current_setting('lock_timeout'), current_setting('client_encoding')")
            assert told.fetchall() == [("0", "UTF8")]


def test_a_restore_that_stops_half_way_leaves_nothing_and_says_so(desk: Desk, pair: Pair) -> None:
    backed_up(desk, pair)
    before = pair.state()
    ran = desk.signalled(*drilled(pair), after="schema", number=signal.SIGINT)
    assert ran.code == 3, ran.out + ran.err
    assert pair.state() == before
    assert "true" in observed(desk, "teardown.complete")[0]


def test_what_a_killed_run_left_is_dropped_by_the_next_command(desk: Desk, pair: Pair) -> None:
    backed_up(desk, pair)
    before = pair.state()
    ran = desk.signalled(*drilled(pair), after="schema", number=signal.SIGKILL)
    assert ran.code == -signal.SIGKILL
    assert pair.state() != before
    ran = desk.attestore(*drilled(pair))
    assert "left behind by a run that died" in ran.err
    assert ran.code == 0, ran.err
    assert pair.state() == before


def test_a_sweep_leaves_what_is_not_ours_or_is_in_use(pair: Pair, tmp_path: Path) -> None:
    environment = dsn.read(pair.there.conninfo, folder=tmp_path, environ={})
    unmarked, used = "restored_0123456789ab", "restored_ba9876543210"
    with pair.there.connect() as session:
        for name in (unmarked, used):
            session.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        session.execute(f"COMMENT ON DATABASE {used} IS '[attestore {used}] '".encode())
        try:
            with Remote(environment).on(used).connect():
                assert sweep(environment) == ()
        finally:
            for name in (unmarked, used):
                session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
