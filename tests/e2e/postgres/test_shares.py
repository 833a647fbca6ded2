"""Thousands of definitions are restored over several sessions at once, and nothing is lost where one of them is refused."""

from __future__ import annotations

from pathlib import Path

from attestore.adapters.postgres.programs import choose
from attestore.adapters.postgres.scratch import PgScratch, PgTarget
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.evidence import Locale
from attestore.ports import Plain, Section
from clusters import MAJORS, installations, running_server

TABLES = 400
LOCALE = Locale(encoding="UTF8", provider="libc", collate="C.UTF-8", ctype="C.UTF-8", locale="")


def test_a_share_that_is_refused_comes_again_and_only_what_stood_in_its_way_is_told(tmp_path: Path) -> None:
    major = MAJORS[0]
    choice = choose(installations(), source_major=major)
    runner = Runner()
    archive = tmp_path / "archive"
    with running_server(major) as source, TemporaryWorkspace(Path("/tmp")) as workspace:
        with source.connect() as session:
            session.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            for n in range(TABLES):
                # every third refers to the one before, so that some must stay together
                refers = f"REFERENCES t{n - 1}" if n % 3 == 1 else ""
                session.execute(f"CREATE TABLE t{n} (id int PRIMARY KEY {refers}, n int DEFAULT one())".encode())
                session.execute(f"INSERT INTO t{n} VALUES (1)".encode())
            # whichever share came first would have it refuse what the others still make
            session.execute(
                "CREATE FUNCTION deny() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;"
                "CREATE EVENT TRIGGER aaa ON ddl_command_start EXECUTE FUNCTION deny();"
                "ALTER EVENT TRIGGER aaa ENABLE ALWAYS"
            )
        runner.run(
            [choice.dump.program("pg_dump"), "--format=custom", f"--file={archive}", f"--dbname={source.conninfo}"],
            deadline_s=60,
            env=source.variables,
        )
        made = PgScratch(choice, workspace=workspace, runner=Runner(workspace.logs), jobs=2)
        with made.start(LOCALE, database_size=0) as target:
            assert isinstance(target, PgTarget)
            with target._host.connect() as session:
                session.execute("CREATE ROLE postgres SUPERUSER")
                target._create_database(session, public=True)
            with target._connect() as session:
                session.execute("CREATE TABLE public.t7 (id int)")
            shares = target._shares(Plain(archive), 2)
            assert len(shares.each) == 2
            assert (len(shares.first), len(shares.last)) == (2, 1)
            schema = target.restore(Plain(archive), Section.SCHEMA, jobs=2)
            assert [error.partition(" (")[0] for error in schema.errors] == [
                'could not execute query: ERROR:  relation "t7" already exists'
            ]
            data = target.restore(Plain(archive), Section.DATA, jobs=2)
            assert len(data.errors) == 1
            assert 'column "n" of relation "t7" does not exist' in data.errors[0]
            assert target.restore(Plain(archive), Section.INDEXES, jobs=2).errors == ()
            with target._connect() as session:
                counted = "SELECT count(*) FROM pg_class WHERE relkind = $${}$$ AND relname ~ '^t[0-9]'"
                assert session.execute(counted.format("r").encode()).fetchall() == [(TABLES,)]
                assert session.execute(counted.format("i").encode()).fetchall() == [(TABLES,)]
                keys = session.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f'").fetchall()
                assert keys == [(TABLES // 3,)]
                assert session.execute("SELECT sum(n) FROM public.t8").fetchall() == [(1,)]
                assert session.execute("SELECT evtname FROM pg_event_trigger").fetchall() == [("aaa",)]
