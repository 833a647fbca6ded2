"""A difference is told by its rows: how many changed, are missing, are extra, and by which keys; values stay where they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres import cells, fingerprint, relations
from attestore.adapters.postgres.session import ask, pin
from attestore.proof import Change, Comparison, Located, Sketches, compare, decode_sketches, facts_of
from attestore.proof.sketch import Cell, Cells, add
from clusters import BIG
from servers import KEY, Nobody, Server

ROWS = "INSERT INTO t SELECT g, 'secret ' || g, g * 1.5 FROM generate_series(1, {rows}) g"

# what → a table t with columns id, a and b, and the columns that its rows are known by
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "an integer key": ("CREATE TABLE t (id int PRIMARY KEY, a text, b numeric)", ("id",)),
    "a large integer key": ("CREATE TABLE t (id int8 PRIMARY KEY, a text, b numeric)", ("id",)),
    "a text key under a collation": (
        'CREATE TABLE t (id text COLLATE "en-x-icu" PRIMARY KEY, a text, b numeric)',
        ("id",),
    ),
    "a key of two columns": ("CREATE TABLE t (id int, a text, b numeric, PRIMARY KEY (b, id))", ("b", "id")),
    "a unique key only": ("CREATE TABLE t (id int NOT NULL UNIQUE, a text UNIQUE, b numeric)", ("id",)),
    "a key of an odd name": ('CREATE TABLE t (id int, a text, b numeric, "w""%s" uuid DEFAULT gen_random_uuid() PRIMARY KEY)', ('w"%s',)),
}  # fmt: skip
DAMAGE = ("UPDATE t SET a = NULL WHERE a IN ('secret 7', 'secret 8')", "DELETE FROM t WHERE a = 'secret 9'")
EXTRA = "INSERT INTO t (id, a, b) VALUES (-5, 'made up', 0)"


def located(
    before: tuple[Server, tuple[str, ...]], damage: tuple[str, ...], *, on: Server | None = None, shown: bool = False
) -> tuple[Comparison, Located]:
    """Two databases of the same statements, one damaged; the second may stand on another server."""
    server, statements = before
    other = on or server
    kept = Sketches()
    with server.database(*statements) as ours, other.database() as theirs:
        source = server.prove(ours, sketches=kept)
        with server.connect(ours) as taking, other.connect(theirs) as giving:
            giving.execute(statements[0].encode())
            with taking.cursor().copy("COPY t TO STDOUT") as out, giving.cursor().copy("COPY t FROM STDIN") as into:
                for data in out:
                    into.write(data)
        healthy = other.prove_restored(theirs, source, sketches=kept)
        assert not healthy.located
        other.run(theirs, *damage)
        carried = decode_sketches(kept.encode())
        restored = other.prove_restored(theirs, source, sketches=carried, shown=shown)
    comparison = compare(source, restored)
    return comparison, comparison.rows[0]


@pytest.mark.parametrize("kind", TABLES)
def test_changed_missing_and_extra_rows_are_counted_and_keyed(server15: Server, kind: str) -> None:
    ddl, key = TABLES[kind]
    comparison, found = located((server15, (ddl, ROWS.format(rows=1000))), (*DAMAGE, EXTRA))
    assert (found.changed, found.missing, found.extra, found.whole) == (2, 1, 1, True)
    assert found.keyed_by == key
    assert [each.change for each in found.keys] == [Change.CHANGED] * 2 + [Change.MISSING, Change.EXTRA]
    assert not any(each.shown for each in found.keys)
    assert comparison.differences[0].detail == "2 rows changed, 1 missing, 1 extra"
    facts = facts_of(comparison)
    assert [facts[f"rows.{what}", ""] for what in ("changed", "missing", "extra")] == [2, 1, 1]
    assert facts["tables.unlocated", ""] == 0


def test_three_hundred_thousand_rows_across_majors(servers: dict[int, Server]) -> None:
    ddl = "CREATE TABLE t (id int8 PRIMARY KEY, a text, b numeric)"
    _, found = located((servers[15], (ddl, ROWS.format(rows=300_000))), (*DAMAGE, EXTRA), on=servers[18], shown=True)
    assert (found.changed, found.missing, found.extra, found.whole) == (2, 1, 1, True)
    assert sorted((each.change.value, each.shown) for each in found.keys) == [
        ("changed", "7"),
        ("changed", "8"),
        ("extra", "-5"),
        ("missing", "9"),
    ]


def test_hashed_keys_are_the_same_on_both_majors_and_shown_on_request(servers: dict[int, Server]) -> None:
    ddl = "CREATE TABLE t (id text, a text, b numeric, PRIMARY KEY (id, b))"
    _, found = located((servers[15], (ddl, ROWS.format(rows=20_000))), (*DAMAGE, EXTRA), on=servers[18], shown=True)
    assert (found.changed, found.missing, found.extra, found.whole) == (2, 1, 1, True)
    assert sorted((each.change.value, each.shown) for each in found.keys) == [
        ("changed", "7, 10.5"),
        ("changed", "8, 12.0"),
        ("extra", "-5, 0"),
        ("missing", ""),
    ]


def test_a_table_without_a_key_tells_duplicates_and_cannot_tell_changed(server15: Server) -> None:
    statements = ("CREATE TABLE t (id int, a text, b numeric)", *[ROWS.format(rows=50)] * 3)
    comparison, found = located(
        (server15, statements),
        (
            "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE id = 7 LIMIT 2)",
            "UPDATE t SET a = NULL WHERE ctid = (SELECT ctid FROM t WHERE id = 9 LIMIT 1)",
        ),
    )
    assert (found.changed, found.missing, found.extra, found.whole) == (0, 3, 1, True)
    assert found.keyed_by == ()
    assert len({each.digest for each in found.keys}) == 3
    assert comparison.rows == (found,)


def test_a_small_table_that_differs_in_every_row_is_told_whole(server15: Server) -> None:
    ddl = "CREATE TABLE t (id int PRIMARY KEY, a text, b numeric)"
    _, found = located((server15, (ddl, ROWS.format(rows=500))), ("UPDATE t SET b = b + 1",))
    assert (found.changed, found.missing, found.extra, found.whole) == (500, 0, 0, True)
    assert len(found.keys) == 20


def test_what_cannot_be_told_is_told_as_at_least(server15: Server) -> None:
    ddl = "CREATE TABLE t (id int PRIMARY KEY, a text, b numeric)"
    comparison, found = located((server15, (ddl, ROWS.format(rows=20_000))), ("DELETE FROM t WHERE id % 2 = 0",))
    assert not found.whole
    assert (found.changed, found.missing, found.extra) == (0, 10_000, 0)
    assert found.words() == "at least 10,000 rows missing"
    assert facts_of(comparison)["tables.unlocated", ""] == 1


def test_cells_add_up_to_the_fingerprint_and_do_not_depend_on_cuts(server: Server) -> None:
    with (
        server.database(TABLES["an integer key"][0], ROWS.format(rows=30_000)) as name,
        server.connect(name) as session,
    ):
        pin(session)
        table = next(each for each in relations.read(session) if each.name == "t")
        shape, how = (server.major, False), cells.keyed(table)
        whole = ask(session, fingerprint.statement(table), (KEY,))[0]
        asked = partial(cells.statement, table, how, bits=10, shape=shape)
        cut = [fingerprint.Range(0, 7), fingerprint.Range(7, 50), fingerprint.Range(50, None)]
        sums: list[Cells] = []
        for ways in ((None,), tuple(cut)):
            held: Cells = {}
            total = [0] * 5
            for within in ways:
                for number, *values in ask(session, asked(within=within), cells.parameters(KEY, how)):
                    rows, a, b, c, e, keys, checks = map(int, values)
                    total = [x + y for x, y in zip(total, (rows, a, b, c, e), strict=True)]
                    add(held, number, Cell(rows, keys, a, checks))
            assert total == [int(value) for value in whole]
            sums.append(held)
    assert sums[0] == sums[1]
    assert len(sums[0]) == 1024


@pytest.mark.parametrize("kind", [*TABLES, "no key", "no row"])
def test_a_small_table_handed_over_row_by_row_is_what_the_server_adds_up(server: Server, kind: str) -> None:
    ddl, key = TABLES.get(kind, ("CREATE TABLE t (id int, a text, b numeric)", ()))
    if server.major == BIG:
        # the wheel's server knows no ICU
        ddl = ddl.replace("en-x-icu", "C")
    with (
        server.database(ddl, ROWS.format(rows=0 if kind == "no row" else 300)) as name,
        server.connect(name) as session,
    ):
        pin(session)
        table = next(each for each in relations.read(session) if each.name == "t")
        shape, how = (server.major, False), cells.keyed(table)
        assert how.columns == key
        (question,) = cells.questions(table, how, key=KEY, shape=shape)
        with psycopg.RawCursor(session) as cursor:
            cursor.execute(question.sql.encode(), question.parameters, binary=question.binary)
            answer = cursor.fetchall()
        ours: Cells = {}
        told = cells.heard(question, answer, how, bits=cells.bits_for(table), into=ours)
        asked = cells.statement(table, how, bits=cells.bits_for(table), within=None, shape=shape)
        theirs: Cells = {}
        for number, *values in ask(session, asked, cells.parameters(KEY, how)):
            rows, word, _, _, _, keys, checks = map(int, values)
            add(theirs, number, Cell(rows, keys, word, checks))
        whole = ask(session, fingerprint.statement(table), (KEY,))[0]
    assert question.binary
    assert ours == theirs
    assert len(ours) == told[0] == (0 if kind == "no row" else 300)
    assert told == tuple(int(part) for part in whole)


@pytest.mark.parametrize("rows", [9, 9_000])
@pytest.mark.parametrize("how", ["UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 't'::regclass AND attname = 'id'",
                                 "ALTER TABLE t ADD CONSTRAINT known NOT NULL id NOT VALID"])  # fmt: skip
def test_a_row_without_the_key_that_its_table_promises_counts_like_any_other(
    servers: dict[int, Server], how: str, rows: int
) -> None:
    """A NOT NULL that was never validated, as 18 has it; and a catalogue that promises what the rows do not keep."""
    made = (
        "CREATE TABLE t (id int UNIQUE, a text)",
        f"INSERT INTO t SELECT NULL, repeat('x', g % 100) FROM generate_series(1, {rows}) g",
        how,
    )
    with servers[18].database(*made) as name:
        (plain,) = servers[18].prove(name).tables
        (sketched,) = servers[18].prove(name, sketches=Sketches()).tables
        with servers[18].connect(name) as session:
            (table,) = relations.read(session)
    # rows are not known by what may be missing
    assert table.key == (() if "NOT VALID" in how else ("id",))
    assert (sketched.rows, sketched.sums) == (plain.rows, plain.sums)
    assert sketched.rows == rows


def test_rows_of_partitions_that_are_compared_together_are_not_looked_for_one_by_one(
    server15: Server, tmp_path: Path
) -> None:
    """Those that were dealt out anew would be told as missing here and extra there."""
    kept = Sketches()
    with server15.database(
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')",
        "CREATE TABLE visit (mood mood, id int) PARTITION BY HASH (mood)",
        *(f"CREATE TABLE visit_{n} PARTITION OF visit FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)),
        "INSERT INTO visit SELECT (enum_range(NULL::mood))[1 + i % 8], i FROM generate_series(1, 400) i",
    ) as database:
        with server15.source(database).snapshot() as snapshot:
            source = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody(), sketches=kept)
            server15.dump(database, tmp_path / "d", snapshot=snapshot.name)
        with server15.database() as copy:
            server15.restore(tmp_path / "d", copy)
            back = server15.prove_restored(copy, source, sketches=kept)
    assert {t.name: t.sums for t in back.tables} != {t.name: t.sums for t in source.tables}, "none moved"
    assert back.located == ()
    assert compare(source, back).differences == ()
