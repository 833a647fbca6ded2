"""pg_dump at a snapshot, and pg_restore into an isolated server: what must arrive, what must not, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.dump import PgDumper
from attestore.adapters.postgres.programs import choose
from attestore.adapters.postgres.scratch import PgScratch, PgTarget
from attestore.adapters.postgres.source import PgSource
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import DiskError, ProgramFailedError, ScratchError, TamperedError, VersionError
from attestore.evidence import Locale
from attestore.ports import Form, Plain, Section, SourceFacts
from clusters import MAJORS, installations, running_server

SCHEMA = """
DROP SCHEMA public;
CREATE ROLE keeper LOGIN PASSWORD 'canary';
CREATE ROLE half LOGIN PASSWORD 'half';
CREATE SCHEMA app AUTHORIZATION keeper;
CREATE TABLE app.items (id int PRIMARY KEY, word text NOT NULL CHECK (word <> 'never'));
ALTER TABLE app.items OWNER TO keeper;
CREATE TABLE app.parts (item int REFERENCES app.items, n int);
INSERT INTO app.items SELECT n, 'word ' || n FROM generate_series(1, 5000) n;
INSERT INTO app.parts SELECT n, n FROM generate_series(1, 5000) n;
CREATE MATERIALIZED VIEW app.sums AS SELECT count(*) AS n FROM app.parts;
SELECT lo_from_bytea(4242, 'large object');
CREATE FUNCTION app.refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
CREATE PUBLICATION news FOR ALL TABLES;
CREATE SUBSCRIPTION feed CONNECTION 'host=/nowhere dbname=x' PUBLICATION news WITH (connect = false);
ALTER DATABASE app SET default_transaction_read_only = on;
ALTER DATABASE app SET statement_timeout = '30s';
CREATE TABLE app.elsewhere (a int) TABLESPACE fast;
CREATE EXTENSION postgres_fdw SCHEMA app;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
CREATE TABLE app.visits (day int) PARTITION BY LIST (day);
CREATE TABLE app.new_visits PARTITION OF app.visits FOR VALUES IN (1);
CREATE FOREIGN TABLE app.old_visits PARTITION OF app.visits DEFAULT SERVER far;
INSERT INTO app.visits VALUES (1);
CREATE EVENT TRIGGER gate ON ddl_command_end EXECUTE FUNCTION app.refuse();
"""

LOCALE = Locale(encoding="UTF8", provider="libc", collate="C.UTF-8", ctype="C.UTF-8", locale="")


@dataclass(frozen=True, slots=True)
class Backup:
    """A dumped database, its server still there."""

    source: Connection
    facts: SourceFacts
    archive: Plain
    world: bytes


@contextmanager
def dumped(major: int, schema: str, *, form: Form = Form.FOLDER) -> Iterator[Backup]:
    with (
        running_server(major, allow_in_place_tablespaces="on") as server,
        TemporaryWorkspace(Path("/tmp")) as workspace,
    ):
        with server.connect() as session:
            session.execute("CREATE TABLESPACE fast LOCATION ''")
            session.execute(schema.encode())
        environment = dsn.read(server.conninfo, folder=workspace.private("source"), environ={})
        source = PgSource(environment)
        facts = source.describe()
        dumper = PgDumper(choose(installations(), source_major=major).dump, environment=environment, runner=Runner())
        with source.snapshot() as snapshot, dumper.dumping(snapshot, workspace.path, jobs=2, form=form) as dumping:
            dumping.locked()
            yield Backup(server, facts, dumping.finish(), snapshot.globals())


@pytest.fixture(
    scope="module", params=list(zip(MAJORS, Form, strict=True)), ids=lambda pair: f"{pair[0]}-{pair[1].value}"
)
def backup(request: pytest.FixtureRequest) -> Iterator[Backup]:
    major, form = request.param
    with dumped(major, SCHEMA, form=form) as made:
        yield made


@pytest.fixture
def workspace() -> Iterator[TemporaryWorkspace]:
    with TemporaryWorkspace(Path("/tmp")) as made:
        yield made


def scratch(workspace: TemporaryWorkspace, *, major: int = 0) -> PgScratch:
    return PgScratch(
        choose(installations(), source_major=major), workspace=workspace, runner=Runner(workspace.logs), jobs=2
    )


@contextmanager
def target(workspace: TemporaryWorkspace, backup: Backup) -> Iterator[PgTarget]:
    made = scratch(workspace, major=backup.facts.major)
    with made.start(backup.facts.locale, database_size=backup.facts.size) as server:
        assert isinstance(server, PgTarget)
        yield server


def rows(session: psycopg.Connection[tuple[Any, ...]], question: str) -> list[tuple[Any, ...]]:
    return session.execute(question.encode()).fetchall()


def test_who_stops_in_the_middle_leaves_no_session_that_watches_the_copy(
    backup: Backup, workspace: TemporaryWorkspace
) -> None:
    watching = []

    def stopped() -> None:
        with target(workspace, backup) as server:
            server.create(backup.world)
            server._begin_proving()
            assert server._watching is not None
            watching.append(server._watching)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [each.closed for each in watching] == [True]


def test_statistics_of_expressions_are_taken_by_the_search_path_that_the_database_has(
    workspace: TemporaryWorkspace,
) -> None:
    """Since version 17 no server does so; before, a function may count on it."""
    schema = """
CREATE SCHEMA app;
CREATE FUNCTION app.inner(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.outer(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN "inner"($1); END';
CREATE TABLE app.t AS SELECT g AS a, 1 AS b FROM generate_series(1, 100) g;
CREATE STATISTICS app.s ON (app.outer(a)), b FROM app.t;
ALTER DATABASE app SET search_path = app;
"""
    with dumped(MAJORS[0], schema) as made, target(workspace, made) as server:
        errors = [*server.create(made.world).errors]
        for section in Section:
            errors += server.restore(made.archive, section, jobs=2).errors
        assert [*errors, *server.finalize(made.world).errors] == []


def test_a_whole_database_arrives_and_only_what_must_not_run_stays_away(
    backup: Backup, workspace: TemporaryWorkspace
) -> None:
    with target(workspace, backup) as server:
        errors = [*server.create(backup.world).errors]
        assert server.empty()
        for section in Section:
            errors += server.restore(backup.archive, section, jobs=2).errors
            assert not server.empty()
        errors += server.finalize(backup.world).errors
        assert errors == []
        assert server.first_query() == 6
        with server._connect() as session:
            assert rows(session, "SELECT count(*), sum(id) FROM app.items") == [(5000, 12_502_500)]
            assert rows(session, "SELECT n FROM app.sums") == [(5000,)]
            assert rows(session, "SELECT lo_get(4242)") == [(b"large object",)]
            assert rows(session, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'items'") == [
                ("keeper",)
            ]
            assert rows(session, "SELECT count(*) FROM pg_statistic WHERE starelid = 'app.items'::regclass") == [(2,)]
            assert rows(session, "SELECT evtname FROM pg_event_trigger") == [("gate",)]
            assert rows(session, "SELECT pubname FROM pg_publication") == [("news",)]
            assert rows(session, "SELECT count(*) FROM pg_subscription") == [(0,)]
            assert rows(session, "SELECT count(*) FROM pg_namespace WHERE nspname = 'public'") == [(0,)]
            assert rows(session, "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'keeper'") == [
                (False, None)
            ]
            # what the database says about sessions is carried, and does not get in our way
            assert rows(session, "SHOW default_transaction_read_only") == [("off",)]
            assert rows(session, "SELECT count(*) FROM pg_db_role_setting WHERE setdatabase <> 0") == [(1,)]
        assert server.identifier != backup.facts.identifier
        assert server.durable is False
        assert server.settings["fsync"] == "off"
        assert server.version.startswith(str(backup.facts.major))
        assert not any("/" in value for value in server.settings.values())
        assert server.destroy()
    assert not list(workspace.path.glob("server-*"))
    assert "canary" not in "".join(path.read_text() for path in workspace.logs.iterdir())


def test_a_second_restore_of_a_section_is_told_error_by_error(backup: Backup, workspace: TemporaryWorkspace) -> None:
    """pg_restore goes on after an error and would be content: each has to be told."""
    with target(workspace, backup) as server:
        server.create(backup.world)
        server.restore(backup.archive, Section.SCHEMA, jobs=1)
        errors = server.restore(backup.archive, Section.SCHEMA, jobs=1).errors
        assert 'could not execute query: ERROR:  relation "items" already exists (CREATE TABLE app.items ()' in errors
        assert len(errors) > 4
        server.restore(backup.archive, Section.DATA, jobs=2)
        assert server.restore(backup.archive, Section.INDEXES, jobs=2).errors == ()
        told = server.restore(backup.archive, Section.DATA, jobs=2).errors
        assert any("items_pkey" in error for error in told)
        assert not any("word 1" in error for error in told)


def test_a_row_without_its_parent_is_told(backup: Backup, workspace: TemporaryWorkspace) -> None:
    """The session that adds keys keeps event triggers quiet, and must not keep foreign keys quiet."""
    with target(workspace, backup) as server:
        server.create(backup.world)
        for section in (Section.SCHEMA, Section.DATA):
            server.restore(backup.archive, section, jobs=2)
        with server._connect() as session:
            session.execute("DELETE FROM app.items WHERE id = 7")
        errors = server.restore(backup.archive, Section.INDEXES, jobs=2).errors
        assert len(errors) == 1
        assert 'violates foreign key constraint "parts_item_fkey"' in errors[0]


def test_an_archive_without_its_table_of_contents_is_told(backup: Backup, workspace: TemporaryWorkspace) -> None:
    with target(workspace, backup) as server:
        server.create(backup.world)
        hollow = Plain(workspace.private("hollow"))
        errors = server.restore(hollow, Section.SCHEMA, jobs=2).errors
        assert len(errors) == 1
        assert "does not appear to be a valid archive" in errors[0]


def test_a_role_that_may_not_read_everything_gets_an_error_and_no_part(
    backup: Backup, workspace: TemporaryWorkspace
) -> None:
    folder = workspace.private("source")
    environment = dsn.read(f"host={backup.source.host} dbname=app user=half password=half", folder=folder, environ={})
    with PgSource(dsn.read(backup.source.conninfo, folder=folder, environ={})).snapshot() as snapshot:
        client = choose(installations(), source_major=backup.facts.major).dump
        dumper = PgDumper(client, environment=environment, runner=Runner(workspace.logs))
        with (
            pytest.raises(
                ProgramFailedError, match=r"(?s)pg_dump ended with exit code 1: .*permission denied"
            ) as refused,
            dumper.dumping(snapshot, workspace.path, jobs=1) as dumping,
        ):
            dumping.locked()
    assert "password" not in refused.value.message


def test_every_problem_of_a_scratch_is_told_at_once(workspace: TemporaryWorkspace) -> None:
    facts = SourceFacts(
        database="app",
        user="postgres",
        version="99.1",
        major=99,
        identifier="1",
        size=1 << 60,
        locale=replace(LOCALE, collate="tlh_QO.UTF-8"),
        extensions=(("plpgsql", "1.0"), ("warp_drive", "9")),
        tables=1,
        superuser=True,
    )
    problems = scratch(workspace).problems(facts)
    told = "\n".join(problem.message for problem in problems)
    assert {type(problem) for problem in problems} == {VersionError, ScratchError, DiskError}
    assert "99.1" in told
    assert "lacks warp_drive, which" in told
    assert "tlh_QO.UTF-8 is not on this machine" in told
    assert all(problem.hint for problem in problems)


def test_a_plain_database_meets_no_problem(backup: Backup, workspace: TemporaryWorkspace) -> None:
    assert scratch(workspace, major=backup.facts.major).problems(backup.facts) == ()


def test_a_locale_that_is_not_here_is_refused_before_anything_is_made(workspace: TemporaryWorkspace) -> None:
    strange = replace(LOCALE, ctype="tlh_QO.UTF-8")
    with (
        pytest.raises(ScratchError, match=r"tlh_QO\.UTF-8 is not on this machine"),
        scratch(workspace).start(strange, database_size=1),
    ):
        pass
    assert not list(workspace.path.glob("server-*"))


def test_a_server_that_was_begun_ahead_is_the_one_that_starts(workspace: TemporaryWorkspace) -> None:
    """One initdb, whose time went by beside something else."""
    made = scratch(workspace)
    with made.ahead(), made.start(LOCALE, database_size=1) as server:
        assert len(list(workspace.path.glob("server-*"))) == 1
        assert server.identifier.isdigit()
    assert not list(workspace.path.glob("server-*"))
    told = [path.read_text() for path in workspace.logs.glob("*-initdb.log")]
    assert sum("--pgdata" in each for each in told) == 1


def test_what_was_begun_ahead_of_a_start_that_never_comes_is_gone(workspace: TemporaryWorkspace) -> None:
    """The backup did not come back whole, so that nothing is restored."""
    made = scratch(workspace)
    with suppress(TamperedError), made.ahead():
        assert (next(workspace.path.glob("server-*")) / "password").exists()
        raise TamperedError("other bytes than were sealed")
    assert not list(workspace.path.glob("server-*"))
    assert not list(workspace.private("secrets").glob("server-*"))
    told = next(each for each in map(Path.read_text, workspace.logs.glob("*-initdb.log")) if "--pgdata" in each)
    assert "exit code: 0" not in told


def test_what_fails_ahead_is_told_when_the_server_is_asked_for(tmp_path: Path) -> None:
    """Until then the run has other things to tell, such as what came back from the store."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with TemporaryWorkspace(deep) as workspace:
        made = scratch(workspace)
        with (
            made.ahead(),
            pytest.raises(ScratchError, match="is longer than 107 bytes"),
            made.start(LOCALE, database_size=1),
        ):
            raise AssertionError
        assert not list(workspace.path.glob("server-*"))
