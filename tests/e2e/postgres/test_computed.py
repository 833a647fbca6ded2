"""What a restore computes anew is compared apart: generated values are differences, a stale view's content is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.adapters.postgres import computed, relations
from attestore.adapters.postgres.session import ask
from attestore.proof import Computed, Difference, compare, decode, encode, facts_of
from servers import KEY, Nobody, Server, there_and_back

STALE = (
    "CREATE FUNCTION public.doubled(a int) RETURNS int IMMUTABLE LANGUAGE sql RETURN a * 2",
    "CREATE TABLE t (a int PRIMARY KEY, b text, twice int GENERATED ALWAYS AS (public.doubled(a)) STORED)",
    "ALTER TABLE t ADD COLUMN long int GENERATED ALWAYS AS (length(b)) STORED",
    "INSERT INTO t VALUES (1, 'x'), (2, 'yy'), (3, 'zzz')",
    "CREATE TABLE parts (a int, next int GENERATED ALWAYS AS (a + 1) STORED) PARTITION BY RANGE (a)",
    "CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
    "INSERT INTO parts VALUES (1), (2)",
)
CHANGED = "CREATE OR REPLACE FUNCTION public.doubled(a int) RETURNS int IMMUTABLE LANGUAGE sql RETURN a + a + a % 2"


def labels(computed: tuple[Computed, ...]) -> list[str]:
    return [f"{each.kind} {each.label}: {each.rows} rows" for each in computed]


def test_generated_values_that_the_restore_computes_alike_are_compared_and_equal(
    server: Server, tmp_path: Path
) -> None:
    with server.database(*STALE) as database:
        proof, restored, found = there_and_back(server, database, tmp_path)
    assert labels(proof.computed) == [
        "generated column public.part_1.next: 2 rows",
        "generated column public.t.long: 3 rows",
        "generated column public.t.twice: 3 rows",
    ]
    assert found.differences == ()
    facts = facts_of(found)
    assert (facts["generated.compared", ""], facts["generated.differing", ""], facts["generated.uncompared", ""]) == (
        3,
        0,
        0,
    )
    assert decode(encode(proof)) == proof
    assert decode(encode(restored)) == restored


def test_an_immutable_function_that_changed_since_is_told_by_the_column_that_it_fills(
    server: Server, tmp_path: Path
) -> None:
    """The stored values are those of the old function; a restore fills in those of the new one."""
    with server.database(*STALE, CHANGED) as database:
        proof, restored, found = there_and_back(server, database, tmp_path)
    a = next(each for each in proof.computed if each.column == "twice")
    b = next(each for each in restored.computed if each.column == "twice")
    assert found.differences == (
        Difference(
            "public.t.twice",
            "generated column",
            "generated values differ although the stored columns are equal",
            f"3 rows, {a.fingerprint[:16]}",
            f"3 rows, {b.fingerprint[:16]}",
        ),
    )
    facts = facts_of(found)
    assert (facts["generated.compared", ""], facts["generated.differing", ""]) == (3, 1)
    assert facts["tables.fingerprints.differing", ""] == 0


def test_values_that_swapped_rows_are_other_values(server15: Server, tmp_path: Path) -> None:
    """The same values in other rows: each is bound to the stored columns beside it."""
    made = (
        "CREATE FUNCTION public.sided(a int) RETURNS int IMMUTABLE LANGUAGE sql RETURN a",
        "CREATE TABLE t (a int, side int GENERATED ALWAYS AS (public.sided(a)) STORED)",
        "INSERT INTO t VALUES (1), (-1)",
        "CREATE OR REPLACE FUNCTION public.sided(a int) RETURNS int IMMUTABLE LANGUAGE sql RETURN -a",
    )
    with server15.database(*made) as database:
        _, _, found = there_and_back(server15, database, tmp_path)
    assert [each.subject for each in found.differences] == ["public.t.side"]


def test_a_table_whose_stored_rows_differ_is_told_once(server15: Server, tmp_path: Path) -> None:
    """What follows from a stored value is no difference of its own, and is not called compared."""
    with server15.database(*STALE) as database:
        _, _, found = there_and_back(
            server15,
            database,
            tmp_path,
            damage=lambda copy: server15.run(copy, "UPDATE t SET b = 'longer' WHERE a = 1"),
        )
    assert [each.subject for each in found.differences] == ["public.t"]
    facts = facts_of(found)
    assert (facts["generated.compared", ""], facts["generated.uncompared", ""]) == (1, 2)
    assert facts["generated.differing", ""] == 0
    assert {each.why for each in found.recomputed if each.equal is None} == {"the stored rows differ"}


def test_a_virtual_column_stores_nothing_to_compare(server: Server, tmp_path: Path) -> None:
    if server.major < 18:
        virtual = "CREATE TABLE t (a int)"
    else:
        virtual = "CREATE TABLE t (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL)"
    with server.database(virtual, "INSERT INTO t VALUES (1)") as database:
        proof, _, found = there_and_back(server, database, tmp_path)
        assert (proof.computed, found.differences) == ((), ())
        if server.major >= 18:
            altered = "ALTER TABLE t ALTER COLUMN twice SET EXPRESSION AS (a * 3)"
            _, _, found = there_and_back(server, database, tmp_path, damage=lambda copy: server.run(copy, altered))
            assert "twice" in {each.subject.rpartition(".")[2] for each in found.differences}


VIEWS = (
    "CREATE TABLE t (a int)",
    "INSERT INTO t VALUES (1), (2)",
    "CREATE MATERIALIZED VIEW fresh AS SELECT a FROM t",
    "CREATE MATERIALIZED VIEW stale AS SELECT count(*) AS n, a FROM t GROUP BY a",
    "CREATE MATERIALIZED VIEW empty AS SELECT a FROM t WITH NO DATA",
    "INSERT INTO t VALUES (3)",
    "REFRESH MATERIALIZED VIEW fresh",
)


def test_a_stale_view_is_told_and_is_no_loss(server: Server, tmp_path: Path) -> None:
    with server.database(*VIEWS) as database:
        proof, _, found = there_and_back(server, database, tmp_path)
    assert labels(proof.computed) == [
        "materialized view public.fresh: 3 rows",
        "materialized view public.stale: 2 rows",
    ]
    assert found.differences == ()
    assert {each.source.label: each.words() for each in found.recomputed} == {
        "public.fresh": "computed alike",
        "public.stale": "content re-computed by the restore: 2 rows at the source, 3 restored"
        " (stale at the source, or computed from more than its tables)",
    }
    facts = facts_of(found)
    assert (facts["matviews.compared", ""], facts["matviews.recomputed.differing", ""]) == (2, 1)


def test_a_view_that_came_back_empty_is_a_loss(server15: Server, tmp_path: Path) -> None:
    with server15.database(*VIEWS) as database:
        _, _, found = there_and_back(
            server15,
            database,
            tmp_path,
            damage=lambda copy: server15.run(copy, "REFRESH MATERIALIZED VIEW fresh WITH NO DATA"),
        )
    assert [(each.subject, each.restored) for each in found.differences] == [
        ("public.fresh", "unpopulated; using heap")
    ]
    assert facts_of(found)["matviews.uncompared", ""] == 1


def test_a_view_that_cannot_be_read_just_now_holds_nothing_up(server15: Server) -> None:
    """A refresh that takes an hour must not hold the snapshot for an hour."""
    with (
        server15.database(*VIEWS) as database,
        server15.connect(database) as leader,
        server15.connect(database) as session,
        server15.connect(database) as refreshing,
        refreshing.transaction(force_rollback=True),
    ):
        leader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        ((snapshot,),) = ask(leader, "SELECT pg_export_snapshot()")
        refreshing.execute("REFRESH MATERIALIZED VIEW stale")
        seen = computed.views(session, relations.views(leader), key=KEY, shape=(15, False), snapshot=snapshot)
    assert {each.label: each.unread for each in seen} == {
        "public.fresh": "",
        "public.stale": "somebody was refreshing, changing or dropping it",
    }


def test_a_role_that_may_not_read_a_view_can_still_back_up(server15: Server) -> None:
    with server15.database(*VIEWS) as database, server15.role("LOGIN PASSWORD 'x'") as role:
        server15.run(database, f"GRANT SELECT ON t TO {role}", f"GRANT SELECT ON fresh TO {role}")
        try:
            with server15.source(database, user=role, password="x").snapshot() as snapshot:
                proof = snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())
        finally:
            server15.run(database, f"REVOKE ALL ON t, fresh FROM {role}")
    assert {each.label: each.unread for each in proof.computed} == {
        "public.fresh": "",
        "public.stale": "this role may not read it",
    }


CONFIGURED = (
    "CREATE EXTENSION postgres_fdw",
    "CREATE TABLE owned (id int PRIMARY KEY, standard bool, note text)",
    "INSERT INTO owned VALUES (1, true, 'as shipped')",
    "ALTER EXTENSION postgres_fdw ADD TABLE owned",
    "SET allow_system_table_mods = on",
    "UPDATE pg_extension SET extconfig = ARRAY['public.owned'::regclass::oid] WHERE extname = 'postgres_fdw'",
    "UPDATE pg_extension SET extcondition = ARRAY['WHERE NOT standard'] WHERE extname = 'postgres_fdw'",
)


@pytest.mark.parametrize("damage", ["", "UPDATE owned SET note = 'theirs' WHERE id = 8"])
def test_of_a_configuration_table_the_rows_that_a_dump_carries_are_compared(
    server: Server, tmp_path: Path, damage: str
) -> None:
    """pg_extension_config_dump with a condition: other rows are the extension's, and differ from version to version."""
    archive = tmp_path / "archive.dump"
    with server.database(*CONFIGURED) as database, server.database(*CONFIGURED) as copy:
        server.run(database, "INSERT INTO owned VALUES (7, false, 'ours'), (8, false, 'ours, too')")
        server.run(copy, "UPDATE owned SET note = 'as a later version ships it' WHERE standard")
        with server.source(database).snapshot() as snapshot:
            proof = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody())
            server.dump(database, archive, snapshot=snapshot.name)
        server.restore(archive, copy, "--data-only")
        if damage:
            server.run(copy, damage)
        restored = server.prove_restored(copy, proof)
    assert [(table.label, table.rows, table.uncovered) for table in proof.tables] == [("public.owned", 2, "")]
    subjects = [each.subject for each in compare(proof, restored).differences if each.kind == "table"]
    assert subjects == (["public.owned"] if damage else [])
