"""The second look at a restored copy: rows are read again where they may be others, and the server's commit log says where."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres import commits, dsn, world
from attestore.adapters.postgres.cluster import Cluster, Connection
from attestore.adapters.postgres.scratch import PgTarget
from attestore.adapters.postgres.session import pin
from attestore.adapters.postgres.source import PgSource
from attestore.adapters.process import Runner
from attestore.errors import ScratchError
from attestore.evidence import Locale
from attestore.proof import IndexCheck, Proof, Sketches, compare, unplanned
from clusters import MAJORS, installation, running_cluster
from servers import KEY, Nobody

LOCALE = Locale(encoding="UTF8", provider="libc", collate="C.UTF-8", ctype="C.UTF-8", locale="")
SCHEMA = """
CREATE TABLE one (id int PRIMARY KEY, word text);
CREATE TABLE two (id int PRIMARY KEY, word text CHECK (word <> 'never'));
CREATE TABLE three (id int PRIMARY KEY, word text);
CREATE UNLOGGED TABLE fleeting (id int);
CREATE INDEX by_word ON three (word);
INSERT INTO one SELECT g, 'one ' || g FROM generate_series(1, 10) g;
INSERT INTO two SELECT g, 'two ' || g FROM generate_series(1, 1000) g;
INSERT INTO three SELECT g, 'three ' || g FROM generate_series(1, 2000) g;
INSERT INTO fleeting SELECT generate_series(1, 3000);
ANALYZE;
"""


@dataclass
class Copy:
    """A restored database on a server of its own, and what its backup would have carried."""

    target: PgTarget
    inside: Connection
    like: Proof
    sketches: Sketches

    def proved(self) -> Proof:
        return self.target.prove(KEY, like=self.like, probes=(), jobs=2, watch=Nobody(), sketches=self.sketches)

    def run(self, *statements: str) -> None:
        with self.inside.connect() as session:
            for statement in statements:
                session.execute(statement.encode())


@pytest.fixture(scope="module", params=MAJORS)
def cluster(request: pytest.FixtureRequest) -> Iterator[tuple[int, Cluster]]:
    major: int = request.param
    # as long as that, what was committed without waiting for the disk can be lost
    with running_cluster(major, autovacuum="off", wal_writer_delay="10s") as made:
        yield major, made


@pytest.fixture
def copy(cluster: tuple[int, Cluster], tmp_path: Path) -> Iterator[Copy]:
    major, host = cluster
    server = installation(major)
    target = PgTarget(host, client=server, server=server, runner=Runner(), locale=LOCALE, jobs=2)
    with host.connection.on("app").connect() as session:
        target.create(world.read(session))
        name = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'restored%'").fetchall()[0][0]
    inside = host.connection.on(name)
    with inside.connect() as session:
        session.execute(SCHEMA.encode())
    kept = Sketches()
    with PgSource(dsn.read(inside.conninfo, folder=tmp_path, environ={})).snapshot() as snapshot:
        like = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody(), sketches=kept)
    yield Copy(target, inside, like, kept)
    target.unwatch()
    with host.connection.connect() as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_after_trials_that_were_rolled_back_only_what_was_planted_is_read_again(copy: Copy) -> None:
    proof = copy.proved()
    behaviour = copy.target.exercise(IndexCheck.HEAP)
    assert behaviour.exercises
    planted = copy.target.plant(KEY, sketches=copy.sketches)
    again = copy.target.prove_again(proof)
    # the altered row, the deleted one, and the unlogged table, which a crash would empty without a trace
    assert again.reread == 3
    assert again.committed == 0
    assert again.transactions is not None
    assert again.transactions > len(planted) + 2, "the trials had numbers, too"
    found = compare(proof, again.proof)
    assert {each.subject for each in found.differences} == {each.subject for each in planted}
    assert len(planted) == 3
    assert all(each.whole for each in found.rows)


def test_a_row_that_somebody_committed_is_found_wherever_it_is(copy: Copy) -> None:
    proof = copy.proved()
    copy.run("UPDATE three SET word = 'left behind' WHERE id = 1500")
    planted = copy.target.plant(KEY, sketches=copy.sketches)
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed) == (4, 1)
    left = unplanned(compare(proof, again.proof), (each.subject for each in planted))
    assert [each.subject for each in left] == ["public.three"]


def test_what_was_going_on_when_the_copy_was_proved_is_found_once_it_is_committed(copy: Copy) -> None:
    with copy.inside.connect() as busy:
        busy.execute("BEGIN")
        busy.execute("UPDATE three SET word = 'late' WHERE id = 7")
        proof = copy.proved()
        busy.execute("COMMIT")
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed) == (4, 1)
    assert [each.subject for each in compare(proof, again.proof).differences] == ["public.three"]


def test_older_transactions_that_were_still_going_on_leave_nothing_to_count_from(copy: Copy) -> None:
    with copy.inside.connect() as busy:
        busy.execute("BEGIN")
        busy.execute("UPDATE three SET word = 'late' WHERE id = 7")
        copy.run("INSERT INTO one VALUES (200)")
        proof = copy.proved()
        busy.execute("COMMIT")
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed, again.transactions) == (4, None, None)
    assert [each.subject for each in compare(proof, again.proof).differences] == ["public.three"]


def test_what_nobody_committed_is_no_change(copy: Copy) -> None:
    proof = copy.proved()
    with copy.inside.connect() as busy:
        busy.execute("BEGIN")
        busy.execute("INSERT INTO one VALUES (77)")
        again = copy.target.prove_again(proof)
        busy.execute("ROLLBACK")
    assert (again.reread, again.committed) == (1, 0)
    assert not compare(proof, again.proof).differences


def crash(copy: Copy) -> None:
    doomed, witness = copy.inside.connect(), copy.inside.connect()
    os.kill(doomed.info.backend_pid, signal.SIGKILL)
    # the server ends every session before it begins anew: until then it still answers
    with pytest.raises(psycopg.OperationalError):
        witness.execute("SELECT pg_sleep(30)")
    doomed.close()
    witness.close()
    for _ in range(300):
        with suppress(ScratchError, psycopg.OperationalError):
            copy.run("SELECT 1")
            break
        time.sleep(0.1)


def test_after_a_crash_everything_is_read_again(copy: Copy) -> None:
    """What was committed without waiting for the disk is taken back, and its numbers are given out again."""
    copy.run("SET synchronous_commit = off", "INSERT INTO three SELECT g, 'late' FROM generate_series(3000, 3009) g")
    proof = copy.proved()
    crash(copy)
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed, again.transactions) == (4, None, None)
    assert [(each.subject, each.restored) for each in compare(proof, again.proof).differences] == [
        ("public.fleeting", "0 rows"),
        ("public.three", "2000 rows"),
    ]


def test_a_table_that_the_planting_transaction_emptied_is_read_again(copy: Copy) -> None:
    """TRUNCATE writes no row, is counted by nobody, and is committed by the checker's own transaction."""
    copy.run(
        "CREATE FUNCTION sweep() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN"
        " IF current_setting('session_replication_role') = 'replica' THEN TRUNCATE public.three; END IF;"
        " RETURN true; END $$",
        "CREATE TABLE aside (id int, word text CHECK (public.sweep()))",
        "INSERT INTO aside VALUES (1, 'x')",
        "ANALYZE aside",
    )
    proof = copy.proved()
    planted = copy.target.plant(KEY, sketches=copy.sketches)
    assert planted[0].subject == "public.aside"
    again = copy.target.prove_again(proof)
    assert again.committed == 0
    left = unplanned(compare(proof, again.proof), (each.subject for each in planted))
    assert [(each.subject, each.restored) for each in left] == [("public.three", "0 rows")]


def test_what_the_planting_transaction_wrote_is_read_again_though_nobody_counted(copy: Copy) -> None:
    copy.run(
        "CREATE FUNCTION write() RETURNS bool LANGUAGE plpgsql SET track_counts = off AS $$ BEGIN"
        " IF current_setting('session_replication_role') = 'replica' THEN DELETE FROM public.three WHERE id < 9; END IF;"
        " RETURN true; END $$",
        "CREATE TABLE aside (id int, word text CHECK (public.write()))",
        "INSERT INTO aside VALUES (1, 'x')",
        "ANALYZE aside",
    )
    proof = copy.proved()
    planted = copy.target.plant(KEY, sketches=copy.sketches)
    again = copy.target.prove_again(proof)
    left = unplanned(compare(proof, again.proof), (each.subject for each in planted))
    assert (again.committed, [each.subject for each in left]) == (0, ["public.three"])


def test_an_operator_of_the_copy_does_not_answer_for_the_commit_log(copy: Copy) -> None:
    """A database's own search_path is in force until a session is pinned."""
    copy.run(
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.yes(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
        "CREATE OPERATOR evil.= (FUNCTION = evil.yes, LEFTARG = text, RIGHTARG = text)",
        f"ALTER DATABASE {copy.inside.database} SET search_path = evil, pg_catalog",
    )
    proof = copy.proved()
    copy.run("UPDATE public.three SET word = 'left behind' WHERE id = 1500")
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed) == (4, 1)
    assert [each.subject for each in compare(proof, again.proof).differences] == ["public.three"]


def test_an_operator_of_the_copy_does_not_say_how_many_tables_there_are(copy: Copy) -> None:
    copy.run(
        "CREATE SCHEMA evil",
        """CREATE FUNCTION evil.no("char", "char") RETURNS bool LANGUAGE sql AS 'SELECT false'""",
        """CREATE OPERATOR evil.= (FUNCTION = evil.no, LEFTARG = "char", RIGHTARG = "char")""",
        f"ALTER DATABASE {copy.inside.database} SET search_path = evil, pg_catalog",
    )
    assert copy.target.first_query() == 4


def test_where_rows_can_be_killed_without_a_number_everything_is_read_again(copy: Copy) -> None:
    copy.run("CREATE EXTENSION pg_surgery")
    proof = copy.proved()
    copy.run("BEGIN", "SELECT heap_force_kill('three', ARRAY['(0,5)']::tid[])", "ROLLBACK")
    again = copy.target.prove_again(proof)
    assert (again.reread, again.committed) == (4, None)
    assert [each.subject for each in compare(proof, again.proof).differences] == ["public.three"]


def test_a_table_that_another_access_method_keeps_is_read_again(copy: Copy) -> None:
    copy.run("CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler", "CREATE TABLE x (a int) USING other")
    proof = copy.proved()
    assert copy.target.prove_again(proof).reread == 2


def test_a_new_table_and_one_that_is_gone_are_seen(copy: Copy) -> None:
    proof = copy.proved()
    copy.run("CREATE TABLE four (a int); INSERT INTO four VALUES (1)", "DROP TABLE two")
    again = copy.target.prove_again(proof)
    subjects = {(each.subject, each.kind) for each in compare(proof, again.proof).differences}
    assert {("public.four", "table"), ("public.two", "table")} <= subjects


def test_savepoints_count_and_those_of_ours_are_known(copy: Copy) -> None:
    with copy.inside.connect() as session:
        pin(session, read_only=False)
        begun = commits.mark(session)
        assert begun is not None
        with session.transaction(force_rollback=True):
            session.execute("INSERT INTO public.one VALUES (100)")
        assert commits.since(session, begun, ()) == commits.Since(numbers=1, others=0)
        released: set[int] = set()
        with session.transaction():
            with session.transaction():
                session.execute("INSERT INTO public.one VALUES (101)")
                released |= commits.numbers(session)
            own = commits.own(session, released=released)
        assert own.tables == {("public", "one")}
        assert commits.since(session, begun, ()) == commits.Since(numbers=3, others=2)
        assert commits.since(session, begun, (own,)) == commits.Since(numbers=3, others=0)


def test_what_is_still_going_on_between_others_is_not_known_to_have_been_rolled_back(copy: Copy) -> None:
    proof = copy.proved()
    with copy.inside.connect() as busy:
        busy.execute("BEGIN")
        busy.execute("INSERT INTO one VALUES (77)")
        copy.run("BEGIN", "INSERT INTO one VALUES (78)", "ROLLBACK")
        again = copy.target.prove_again(proof)
        busy.execute("ROLLBACK")
    assert (again.reread, again.committed, again.transactions) == (4, 1, 2)
