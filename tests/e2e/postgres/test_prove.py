"""What a proof holds beside rows: foreign keys, sequences, probes, and how it was taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from attestore import canon
from attestore.adapters.postgres import objects
from attestore.errors import ContendedError, ProgramFailedError
from attestore.gate import Operator, Probe
from attestore.proof import Proof, compare, decode, encode
from servers import KEY, Nobody, Server, there_and_back

KEYS = (
    'CREATE TABLE parent (a int, b int, c text COLLATE "C", PRIMARY KEY (a, b), UNIQUE (c), UNIQUE (a))',
    "INSERT INTO parent VALUES (1, 1, 'x'), (2, 2, 'y')",
    "CREATE TABLE simple (a bigint, b smallint, FOREIGN KEY (a, b) REFERENCES parent (a, b))",
    "INSERT INTO simple VALUES (1, 1), (NULL, 9), (9, NULL), (NULL, NULL)",
    "CREATE TABLE whole (a int, b int, FOREIGN KEY (a, b) REFERENCES parent (a, b) MATCH FULL)",
    "INSERT INTO whole VALUES (1, 1), (NULL, NULL)",
    "CREATE TABLE texts (c varchar, FOREIGN KEY (c) REFERENCES parent (c))",
    "INSERT INTO texts VALUES ('x'), (NULL)",
    "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree)",
    "INSERT INTO tree VALUES (1, NULL), (2, 1)",
    "CREATE TABLE split (id int, a int REFERENCES parent (a)) PARTITION BY LIST (id)",
    "CREATE TABLE split1 PARTITION OF split FOR VALUES IN (1)",
    "CREATE TABLE split2 PARTITION OF split FOR VALUES IN (2)",
    "INSERT INTO split VALUES (1, 1), (2, 2)",
    "CREATE TABLE halves (id int PRIMARY KEY) PARTITION BY LIST (id)",
    "CREATE TABLE half1 PARTITION OF halves FOR VALUES IN (1)",
    "CREATE TABLE half2 PARTITION OF halves FOR VALUES IN (2)",
    "INSERT INTO halves VALUES (1), (2)",
    "CREATE TABLE to_halves (id int REFERENCES halves)",
    "INSERT INTO to_halves VALUES (1), (2)",
)  # fmt: skip

# a change that no foreign key of the copy stops → the key that has the orphans, and how many
ORPHANS: dict[str, tuple[str, str, int]] = {
    "a child without its parent": ("INSERT INTO simple VALUES (3, 3)", "public.simple.simple_a_b_fkey", 1),
    "a half-empty MATCH FULL key": ("INSERT INTO whole VALUES (1, NULL), (NULL, 1)", "public.whole.whole_a_b_fkey", 2),
    "a parent that is gone": ("DELETE FROM tree WHERE id = 1", "public.tree.tree_up_fkey", 1),
    "text in another case": ("UPDATE texts SET c = 'X' WHERE c = 'x'", "public.texts.texts_c_fkey", 1),
    "a row of one partition": ("UPDATE split2 SET a = 7", "public.split.split_a_fkey", 1),
    "a parent of one partition": ("DELETE FROM half2", "public.to_halves.to_halves_id_fkey", 1),
}


def _probe(sql: str, *, name: str = "asked", timeout_ms: int = 30_000) -> Probe:
    return Probe(id=name, title="", sql=sql, operator=Operator.AT_LEAST, bound=1, timeout_ms=timeout_ms)


def test_every_foreign_key_is_checked_once_and_sound_ones_have_no_orphans(server: Server, tmp_path: Path) -> None:
    with server.database(*KEYS) as database:
        proof, restored, found = there_and_back(server, database, tmp_path)
    names = ["simple", "split", "texts", "to_halves", "tree", "whole"]
    assert [key.table for key in proof.foreign_keys] == [f"public.{name}" for name in names]
    assert {(key.checked, key.orphans) for key in proof.foreign_keys} == {(False, 0)}
    assert {(key.checked, key.orphans) for key in restored.foreign_keys} == {(True, 0)}
    assert restored.foreign_keys[0].references == "public.parent (a, b)"
    assert found.differences == ()


@pytest.mark.parametrize("what", ORPHANS)
def test_orphans_are_counted_under_the_right_key(servers: dict[int, Server], what: str, tmp_path: Path) -> None:
    statement, key, count = ORPHANS[what]
    server = servers[18]

    def damage(copy: str) -> None:
        # as a damaged restore leaves it: the constraint is there, the row is not
        server.run(copy, "SET session_replication_role = replica", statement)

    with server.database(*KEYS) as database:
        _, restored, found = there_and_back(server, database, tmp_path, damage=damage)
    assert {f"{item.table}.{item.name}": item.orphans for item in restored.foreign_keys if item.orphans} == {key: count}
    assert [item.subject for item in found.differences if item.kind == "foreign key"] == [key]


def test_a_period_must_be_covered_by_its_parents_together(servers: dict[int, Server]) -> None:
    server = servers[18]
    made = (
        "CREATE EXTENSION btree_gist",
        "CREATE TABLE rooms (id int, open daterange, PRIMARY KEY (id, open WITHOUT OVERLAPS))",
        "INSERT INTO rooms VALUES (1, '[2020-01-01,2020-02-01)'), (1, '[2020-02-01,2020-03-01)')",
        "CREATE TABLE stays (id int, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES rooms (id, PERIOD open))",
        "INSERT INTO stays VALUES (1, '[2020-01-15,2020-02-15)')",
    )
    with server.database(*made) as database:
        like = server.prove(database)
        sound = server.prove_restored(database, like)
        server.run(
            database, "SET session_replication_role = replica", "DELETE FROM rooms WHERE open @> '2020-02-10'::date"
        )
        holed = server.prove_restored(database, like)
    assert [key.orphans for key in sound.foreign_keys] == [0]
    assert [key.orphans for key in holed.foreign_keys] == [1]


def test_orphans_under_an_unvalidated_key_are_a_finding_not_a_loss(server: Server, tmp_path: Path) -> None:
    made = (
        "CREATE TABLE p (a int PRIMARY KEY)",
        "CREATE TABLE c (a int)",
        "INSERT INTO c VALUES (7), (8)",
        "ALTER TABLE c ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES p NOT VALID",
    )
    with server.database(*made) as database:
        _, restored, found = there_and_back(server, database, tmp_path)
    assert [(key.validated, key.orphans) for key in restored.foreign_keys] == [(False, 2)]
    assert (
        "foreign key later of public.c is NOT VALID and leaves 2 rows without a parent in public.p (a)"
        in restored.findings
    )
    assert [item for item in found.differences if item.kind == "foreign key"] == []


def test_sequences_are_known_with_what_they_feed(server: Server, tmp_path: Path) -> None:
    made = (
        "CREATE SEQUENCE lone START 5",
        "CREATE SEQUENCE down INCREMENT -1",
        "CREATE TABLE counted (id int DEFAULT nextval('down'))",
        "INSERT INTO counted DEFAULT VALUES",
        "INSERT INTO counted DEFAULT VALUES",
        'CREATE TABLE "s | t" ("I d" bigserial, e int GENERATED ALWAYS AS IDENTITY)',
        'INSERT INTO "s | t" SELECT FROM generate_series(1, 42)',
    )  # fmt: skip
    with server.database(*made) as database:
        proof, _, found = there_and_back(server, database, tmp_path)
    seen = {
        item.name: (item.reached, item.called, item.increment, item.feeds, item.largest) for item in proof.sequences
    }
    assert seen == {
        "lone": (5, False, 1, "", None),
        "down": (-2, True, -1, "public.counted.id", -2),
        "s | t_I d_seq": (42, True, 1, "public.s | t.I d", 42),
        "s | t_e_seq": (42, True, 1, "public.s | t.e", 42),
    }
    assert found.differences == ()


def test_a_sequence_behind_its_key_is_a_difference(server15: Server, tmp_path: Path) -> None:
    made = ("CREATE TABLE t (id serial)", "INSERT INTO t SELECT FROM generate_series(1, 42)")
    with server15.database(*made) as database:
        _, _, found = there_and_back(
            server15, database, tmp_path, damage=lambda copy: server15.run(copy, "SELECT setval('t_id_seq', 41)")
        )
    assert [(item.subject, item.kind) for item in found.differences] == [("public.t_id_seq", "sequence")]


def test_probes_answer_alike_on_both_sides_and_notice_a_change(server: Server) -> None:
    made = (
        "CREATE TABLE t (a int, b text, c date)",
        "INSERT INTO t VALUES (1, NULL, 'infinity'), (2, '', '0044-03-15 BC')",
    )
    asked = (
        _probe("SELECT * FROM public.t ORDER BY a;", name="rows"),
        _probe("SELECT a FROM public.t WHERE false", name="none"),
        _probe("SELECT '100%s' AS \"%\", 1.10, 2.2::float8", name="signs"),
        _probe("VALUES (1), (2), (3) -- that is all", name="values"),
    )
    with server.database(*made) as database:
        first = server.prove(database, probes=asked)
        second = server.prove_restored(database, first, probes=asked)
        server.run(database, "UPDATE t SET b = '' WHERE a = 1")
        third = server.prove_restored(database, first, probes=asked)
    assert [(item.probe, item.rows) for item in first.probes] == [("rows", 2), ("none", 0), ("signs", 1), ("values", 3)]
    assert first.probes == second.probes
    assert [a.probe for a, b in zip(first.probes, third.probes, strict=True) if a.digest != b.digest] == ["rows"]
    assert len({item.digest for item in first.probes}) == 4


@pytest.mark.parametrize(
    ("sql", "clue"),
    [
        ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
        ("INSERT INTO public.t VALUES (1)", "not a query"),
        ("INSERT INTO public.t VALUES (1) RETURNING a", "read-only"),
        ("SELECT nextval('public.s')", "read-only"),
        ("DROP TABLE public.t", "not a query"),
        ("COMMIT", "not a query"),
        ("SET TRANSACTION READ WRITE", "not a query"),
        ("SELECT * FROM t", "does not exist"),
        ("SELECT 1/0", "division by zero"),
        ("SELECT pg_sleep(20)", "statement timeout"),
        ("nonsense", "syntax error"),
        ("", "not a query"),
    ],
)
def test_a_probe_that_is_not_one_quick_question_is_refused_by_name(server15: Server, sql: str, clue: str) -> None:
    with server15.database("CREATE TABLE t (a int)", "CREATE SEQUENCE s") as database:
        with pytest.raises(ProgramFailedError, match="probe asked") as problem:
            server15.prove(database, probes=(_probe(sql, timeout_ms=300),))
        assert server15.prove(database).rows == 0, "the table is still there, and empty"
    assert clue in problem.value.message


def test_a_sequence_that_is_behind_its_keys_at_the_source_is_a_finding_and_no_loss(server15: Server) -> None:
    with server15.database(
        "CREATE TABLE up (a serial PRIMARY KEY)", "INSERT INTO up VALUES (7)",
        "CREATE TABLE fine (a serial PRIMARY KEY)", "INSERT INTO fine VALUES (DEFAULT)",
        "CREATE TABLE down (a int PRIMARY KEY)", "INSERT INTO down VALUES (-9)",
        "CREATE SEQUENCE falling INCREMENT -1 OWNED BY down.a",
    ) as database:  # fmt: skip
        source = server15.prove(database)
        copy = server15.prove_restored(database, source)
    assert [each for each in source.findings if each.startswith("Sequence")] == [
        "Sequence public.falling stands at -1, behind -9, the last key in public.down.a: its next values are taken.",
        "Sequence public.up_a_seq stands at 1, behind 7, the last key in public.up.a: its next values are taken.",
    ]
    assert compare(source, copy).differences == ()


def test_a_probe_does_not_wait_behind_somebody_who_waits_for_an_exclusive_lock(server15: Server) -> None:
    """The server sees no deadlock there: the waiter waits for our locks, and the probe would wait for the waiter."""
    asked = (_probe("SELECT * FROM public.t"), _probe("SELECT count(*) FROM public.t", name="counted"))
    queued = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    with server15.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)") as database:
        alone = server15.prove(database, probes=asked).probes
        with server15.source(database).snapshot() as snapshot, server15.connect(database) as waiter:
            waiter.pgconn.send_query(b"BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE")
            with server15.connect(database) as looker:
                while looker.execute(queued).fetchone() != (1,):
                    pass
            seen = snapshot.prove(KEY, probes=asked, jobs=1, watch=Nobody())
            waiter.cancel_safe()
            waiter.close()
    assert seen.probes == alone


def test_only_the_session_that_holds_the_locks_reads_before_the_dump_has_its_own(server15: Server) -> None:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    seen: list[int] = []
    with server15.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)") as database:
        alone = server15.prove(database)
        with server15.source(database).snapshot() as snapshot, server15.connect(database) as looker:

            def cleared() -> None:
                seen.append(int(looker.execute(others).fetchall()[0][0]))

            def contended() -> None:
                raise ContendedError("somebody waits for an exclusive lock")

            with pytest.raises(ContendedError):
                snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody(), cleared=contended)
            told = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody(), cleared=cleared)
    assert (told.objects, [each.sums for each in told.tables]) == (alone.objects, [each.sums for each in alone.tables])
    # who lists the tables, and who locks them
    assert seen == [2]


def test_a_probe_cannot_change_how_the_next_one_is_answered(server15: Server) -> None:
    mean = _probe(
        "SELECT set_config('search_path', 'pg_catalog', false), set_config('DateStyle', 'German', false)", name="mean"
    )
    plain = _probe("SELECT current_setting('DateStyle'), current_setting('search_path')", name="plain")
    with server15.database() as database:
        alone = server15.prove(database, probes=(plain,)).probes
        after = server15.prove(database, probes=(mean, plain)).probes[1:]
    assert alone == after


def test_a_proof_tells_how_it_was_taken(server: Server) -> None:
    with server.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)") as database:
        proof = server.prove(database)
    assert (proof.side, proof.database, proof.method) == ("source", database, "audit")
    assert proof.server.startswith(str(server.major))
    assert proof.key_commitment == canon.domain_digest("fingerprint-key", KEY)
    assert KEY.hex() not in encode(proof).decode()
    settings = {setting.name: setting.value for setting in proof.session}
    assert settings["TimeZone"] == "UTC"
    assert settings["search_path"] == ""
    assert settings["row_security"] == "off"
    assert any("FROM ONLY" in query.sql and "$1" in query.sql for query in proof.queries)
    assert decode(encode(proof)) == replace(
        proof, settings=tuple(sorted(proof.settings)), objects=tuple(sorted(proof.objects))
    )


def test_nothing_of_the_source_runs_before_its_search_path_is_put_aside(server: Server) -> None:
    """Whoever owns a database can choose its search_path, and would run code as whoever backs it up."""
    body = "LANGUAGE sql AS $$ INSERT INTO evil.seen VALUES (current_user) RETURNING"
    evil = (
        "CREATE SCHEMA evil",
        "CREATE TABLE evil.seen (who text)",
        f"CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text {body} 'evil' $$",
        f"CREATE FUNCTION evil.lower(text) RETURNS text {body} 'evil' $$",
        f"CREATE FUNCTION evil.equal(text, text) RETURNS boolean {body} true $$",
        "CREATE OPERATOR evil.= (FUNCTION = evil.equal, LEFTARG = text, RIGHTARG = text)",
    )
    with server.database(*evil) as database:
        server.run("postgres", f"ALTER DATABASE {database} SET search_path = evil, pg_catalog")
        proof = server.prove(database)
    assert {setting.value for setting in proof.session if setting.name == "search_path"} == {""}
    assert [table.rows for table in proof.tables] == [0]


def test_the_key_reaches_no_server_log(server: Server) -> None:
    with server.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)") as database:
        server.run("postgres", f"ALTER DATABASE {database} SET log_statement = 'all'")
        server.run("postgres", f"ALTER DATABASE {database} SET log_min_duration_statement = 0")
        proof = server.prove(database)
    log = "".join(path.read_text(encoding="utf-8", errors="replace") for path in server.logs)
    assert "sha256(record_send(ROW($1::bytea" in log
    assert KEY.hex() not in log
    assert not any("fingerprint key" in finding for finding in proof.findings)


def test_a_damaged_value_is_the_only_difference(server: Server, tmp_path: Path) -> None:
    made = ("CREATE TABLE t (a int PRIMARY KEY, b text)", "INSERT INTO t SELECT g, g::text FROM generate_series(1, 1000) g",
            "CREATE TABLE u (a int)", "INSERT INTO u VALUES (1)")  # fmt: skip
    with server.database(*made) as database:
        source, restored, found = there_and_back(
            server, database, tmp_path, damage=lambda copy: server.run(copy, "UPDATE t SET b = '500 ' WHERE a = 500")
        )
    assert [(item.subject, item.what) for item in found.differences] == [
        ("public.t", "same number of rows, other content")
    ]
    assert _without(source) != _without(restored)
    assert compare(source, source).differences == ()


def _without(proof: Proof) -> tuple[tuple[int, ...], ...]:
    return tuple(table.sums for table in proof.tables)


def test_progress_goes_up_to_the_number_of_tables(server15: Server) -> None:
    watcher = Nobody()
    with (
        server15.database(*(f"CREATE TABLE t{number} (a int)" for number in range(5))) as database,
        server15.source(database).snapshot() as snapshot,
    ):
        snapshot.prove(KEY, probes=(), jobs=2, watch=watcher)
    assert watcher.seen == [(number, 5, "tables") for number in range(1, 6)]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT count(*) FROM public.t", 3),
        ("SELECT sum(a) FROM public.t", 6),
        ("SELECT count(*) FROM public.t WHERE a > 9", 0),
        ("SELECT -count(*) FROM public.t", None),
        ("SELECT avg(a) FROM public.t", None),
        ("SELECT 'many'", None),
        ("SELECT NULL::int", None),
        ("SELECT 1, 2", None),
        ("SELECT a FROM public.t", None),
        ("SELECT 1 WHERE false", None),
        ("SELECT 10 ^ 15::numeric", None),
    ],
)
def test_the_one_whole_number_that_a_probe_answers_is_told_only_where_a_gate_bounds_it(
    server15: Server, sql: str, value: int | None
) -> None:
    with server15.database("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2), (3)") as database:
        bounded = replace(_probe(sql, name="bounded"), values=((Operator.AT_LEAST, 1),))
        told, untold = server15.prove(database, probes=(bounded, _probe(sql, name="unbounded"))).probes
    assert (told.value, untold.value) == (value, None)
    assert told.digest == untold.digest


SHARED = (
    "CREATE TABLE t (a int)",
    "CREATE VIEW v AS SELECT a FROM t",
    "CREATE MATERIALIZED VIEW m AS SELECT a FROM t",
    "CREATE INDEX i ON m (a)",
)
"""definitions of two kinds that PostgreSQL reads under a lock"""


@pytest.mark.parametrize("ended", [0, 1], ids=["the leader", "the one beside"])
def test_a_session_that_ends_while_questions_are_shared_is_told_and_nobody_waits_for_the_other(
    server15: Server, ended: int
) -> None:
    """What the lost one had taken is missing, though the other answers all that is left."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ANY (%s)"
    with (
        server15.database(*SHARED) as database,
        server15.connect(database) as holder,
        server15.connect(database) as leader,
        server15.connect(database) as beside,
        ThreadPoolExecutor(1) as pool,
    ):
        assert objects.read(leader, key=KEY, beside=(beside,)) == objects.read(leader, key=KEY)
        both = [leader.info.backend_pid, beside.info.backend_pid]
        holder.execute("BEGIN")
        holder.execute("DROP VIEW v")
        holder.execute("DROP INDEX i")
        reading = pool.submit(objects.read, leader, key=KEY, beside=(beside,))
        try:
            while holder.execute(waiting, (both,)).fetchall() != [(2,)]:
                assert not reading.done()
            server15.run(database, f"SELECT pg_terminate_backend({both[ended]}, 5000)")
            if ended:
                holder.rollback()
            assert isinstance(reading.exception(timeout=30), psycopg.OperationalError)
        finally:
            holder.rollback()
        assert [each.closed for each in (leader, beside)] == [not ended, bool(ended)]


def test_who_waits_for_a_lock_of_a_table_goes_first_though_definitions_wait_for_another(server15: Server) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
    with (
        server15.database(*SHARED) as database,
        server15.connect(database) as holder,
        server15.source(database).snapshot() as snapshot,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("BEGIN")
        holder.execute("DROP VIEW v")

        def contended() -> None:
            while holder.execute(waiting).fetchall() != [(1,)]:
                pass
            raise ContendedError("somebody waits for an exclusive lock")

        proving = pool.submit(snapshot.prove, KEY, probes=(), jobs=2, watch=Nobody(), cleared=contended)
        try:
            assert isinstance(proving.exception(timeout=30), ContendedError)
        finally:
            holder.rollback()
