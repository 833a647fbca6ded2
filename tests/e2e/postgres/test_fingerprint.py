"""Rows that a plain dump and restore keep have equal fingerprints; rows that differ in anything at all do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.postgres import fingerprint, relations
from attestore.adapters.postgres.crew import BEGIN, Crew, batches
from attestore.adapters.postgres.session import ask, pin
from attestore.proof import Sketches
from servers import KEY, Server, there_and_back

LONG = "n" * 63

SUPPORT = (
    "CREATE EXTENSION citext",
    "CREATE EXTENSION hstore",
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad')",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE DOMAIN positive AS int CHECK (value > 0)",
    "CREATE DOMAIN padded AS bpchar",
    "CREATE DOMAIN ratio AS float8",
    "CREATE DOMAIN pairs AS pair",
    "CREATE TYPE span AS RANGE (subtype = float8)",
    "CREATE FUNCTION told(pair) RETURNS text LANGUAGE sql AS $$ SELECT 'always the same' $$",
    "CREATE CAST (pair AS text) WITH FUNCTION told(pair)",
)

# type → values (SQL); the first two differ in the least way that the type allows, and both must survive a restore
TYPES: dict[str, tuple[str, ...]] = {
    "bool": ("true", "false", "NULL"),
    "int2": ("1", "-1"),
    "int4": ("0", "NULL"),
    "int8": ("9223372036854775807", "9223372036854775806"),
    "numeric": ("1.0", "1.00", "'NaN'", "'Infinity'", "1e-1000"),
    "numeric(10,2)": ("1.00", "1.01"),
    "float4": ("0", "'-0'", "'NaN'", "'-Infinity'", "1.1", "'inf'::float4 - 'inf'::float4"),
    "float8": ("0", "'-0'", "'NaN'", "1e-300", "0.1::float8 + 0.2::float8", "'inf'::float8 - 'inf'::float8"),
    "ratio": ("0", "'-0'", "'NaN'", "'inf'::float8 - 'inf'::float8"),
    "money": ("1.50", "1.51"),
    "text": ("''", "NULL", "repeat('ü', 100000)", "'😀 я 中 ع'", "E'\\\\N'", "E'line\\nfeed\\ttab'"),
    "varchar(10)": ("'a'", "'a '"),
    "char(5)": ("'a'", "'b'"),
    "bpchar": ("'a'", "'a '"),
    "padded": ("'a'", "'a '"),
    '"char"': ("'a'", "'b'"),
    "name": ("'a'", "'A'"),
    "citext": ("'a'", "'A'"),
    "public.citext": ("''", "NULL"),
    "bytea": (r"'\x00'", r"'\x0000'", r"decode(repeat('ff', 100000), 'hex')"),
    "timestamp": ("'2020-01-01 00:00:00.000001'", "'2020-01-01 00:00:00.000002'", "'infinity'"),
    "timestamptz": ("'2020-01-01 00:00+00'", "'2020-01-01 00:00+01'", "'-infinity'"),
    "date": ("'2020-01-01'", "'2020-01-02'", "'0044-03-15 BC'", "'infinity'"),
    "time": ("'12:00:00.000001'", "'12:00:00'", "'24:00'"),
    "timetz": ("'12:00+00'", "'13:00+01'"),
    "interval": ("'1 day'", "'24 hours'", "'-1 mon 2 days 03:04:05.6'"),
    "uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
    "json": ("""'{"a": 1}'""", """'{"a":1}'"""),
    "jsonb": ("""'{"a": 1.0}'""", """'{"a": 1.00}'""", "'null'"),
    "jsonpath": ("'$.a'", "'$.b'"),
    "inet": ("'10.0.0.1/8'", "'10.0.0.1/9'"),
    "cidr": ("'10.0.0.0/8'", "'10.0.0.0/9'"),
    "macaddr": ("'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
    "macaddr8": ("'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:04:06'"),
    "bit(3)": ("B'101'", "B'100'"),
    "varbit": ("B'1'", "B'10'"),
    "point": ("'(1,0)'", "'(1,-0)'", "point('inf'::float8 - 'inf'::float8, 1)"),
    "box": ("'((0,0),(1,1))'", "'((0,0),(1,2))'"),
    "circle": ("'<(1,2),3>'", "'<(1,2),4>'"),
    "polygon": ("'((0,0),(1,1),(2,0))'", "'((0,0),(2,0),(1,1))'"),
    "path": ("'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
    "tsvector": ("'fat:1A cat:2'", "'fat:1B cat:2'"),
    "tsquery": ("'fat & cat'", "'fat | cat'"),
    "int4range": ("'[1,5)'", "'[1,6)'", "'empty'"),
    "numrange": ("'[1.0,2)'", "'[1.00,2)'"),
    "tstzrange": ("'[2020-01-01 00:00+00,)'", "'(2020-01-01 00:00+00,)'"),
    "span": ("'[1.5,2.5)'", "'[1.5,2.5]'"),
    "int4multirange": ("'{[1,2),[5,6)}'", "'{[1,2),[5,7)}'"),
    "int4[]": ("'{1,2}'", "'[2:3]={1,2}'", "'{1,NULL}'"),
    "text[]": ("'{NULL}'", """'{"NULL"}'""", "'{}'"),
    "float8[]": ("'{0}'", "'{-0}'", "'{NaN}'"),
    "mood": ("'sad'", "'ok'"),
    "mood[]": ("'{sad,ok}'", "'{ok,sad}'"),
    "pair": ("(1, '')", "(1, NULL)"),
    "pairs": ("(NULL, NULL)", "NULL"),
    "pair[]": ("""'{"(1,x)"}'""", """'{"(1,y)"}'"""),
    "positive": ("1", "2"),
    "hstore": ("'a=>1'", "'a=>NULL'"),
    "pg_lsn": ("'0/1'", "'0/2'"),
    "xid8": ("'5'", "'6'"),
    "oid": ("1", "2"),
    "tid": ("'(1,2)'", "'(1,3)'"),
    "regtype": ("'public.mood'", "'public.pair'"),
    "aclitem": ("'postgres=r/postgres'", "'postgres=w/postgres'"),
}

# what → the rows of a table t(a, b), and the same number of other rows
ROWS: dict[str, tuple[str, str]] = {
    "values swapped between rows": ("(1,'x'),(2,'y')", "(1,'y'),(2,'x')"),
    "values swapped between columns": ("(1,'2')", "(2,'1')"),
    "another pair of duplicates": ("(1,'a'),(1,'a'),(2,'b'),(2,'b')", "(1,'a'),(1,'a'),(2,'c'),(2,'c')"),
    "a duplicate of another row": ("(1,'a'),(1,'a'),(2,'b')", "(1,'a'),(2,'b'),(2,'b')"),
    "NULL in the other column": ("(NULL,'')", "(0,NULL)"),
    "text that looks like NULL": ("(1,NULL)", "(1,'NULL')"),
    "a trailing space": ("(1,'a')", "(1,'a ')"),
    "composed and decomposed accents": ("(1,U&'\\00E9')", "(1,U&'e\\0301')"),
    "one character of 500": ("(1,repeat('a',500))", "(1,repeat('a',499)||'b')"),
}


def _types(server: Server) -> dict[str, tuple[str, ...]]:
    """The wheel's server has no libxml."""
    xml = {"xml": ("'<a>x</a>'", "'<a>y</a>'", """'<?xml version="1.0" encoding="utf-8"?><b/>'""")}
    return TYPES | (xml if server.major == 15 else {})


def test_every_type_survives_a_plain_dump_and_restore(server: Server, tmp_path: Path) -> None:
    types = _types(server)
    tables = [
        statement
        for number, (name, values) in enumerate(types.items())
        for statement in (
            f"CREATE TABLE k{number} (c {name})",
            *(f"INSERT INTO k{number} VALUES ({value}::{name})" for value in values),
        )
    ]
    with server.database(*SUPPORT, *tables) as database:
        proof, restored, _ = there_and_back(server, database, tmp_path)
    ours = {(table.name, table.rows, table.sums) for table in proof.tables}
    theirs = {(table.name, table.rows, table.sums) for table in restored.tables}
    assert [list(types)[int(name[1:])] for name, _, _ in ours ^ theirs] == []
    assert len(ours) == len(types) >= 60
    assert proof.session == restored.session
    assert proof.rows == sum(len(values) for values in types.values())


def test_the_least_difference_that_each_type_allows_is_noticed(server: Server) -> None:
    types = _types(server)
    sides = [
        [
            statement
            for number, (name, values) in enumerate(types.items())
            for statement in (
                f"CREATE TABLE k{number} (c {name})",
                f"INSERT INTO k{number} VALUES ({values[side]}::{name})",
            )
        ]
        for side in (0, 1)
    ]
    with server.database(*SUPPORT, *sides[0]) as first, server.database(*SUPPORT, *sides[1]) as second:
        ours, theirs = server.prove(first), server.prove(second)
    missed = [
        name
        for name, a, b in zip(sorted(range(len(types)), key=lambda n: f"k{n}"), ours.tables, theirs.tables, strict=True)
        if a.sums == b.sums
    ]
    assert [list(types)[number] for number in missed] == []


@pytest.mark.parametrize("what", ROWS)
def test_the_same_number_of_other_rows_is_noticed(server15: Server, what: str) -> None:
    one, other = ROWS[what]
    made = "CREATE TABLE t (a int, b text)"
    with (
        server15.database(made, f"INSERT INTO t VALUES {one}") as first,
        server15.database(made, f"INSERT INTO t VALUES {other}") as second,
    ):
        ours, theirs = server15.prove(first).tables[0], server15.prove(second).tables[0]
    assert ours.rows == theirs.rows
    assert ours.sums != theirs.sums


def test_order_of_rows_and_of_columns_does_not_matter(server15: Server) -> None:
    with (
        server15.database("CREATE TABLE t (a int, b text)", "INSERT INTO t VALUES (1,'x'),(2,'y')") as first,
        server15.database(
            "CREATE TABLE t (gone int, b text, a int)",
            "ALTER TABLE t DROP COLUMN gone",
            "INSERT INTO t VALUES ('y',2),('x',1)",
        ) as second,
    ):
        assert server15.prove(first).tables[0].sums == server15.prove(second).tables[0].sums


def test_hostile_names_change_nothing_and_hide_nothing(server: Server, tmp_path: Path) -> None:
    names = [
        "users | PASS", 'quo"te', "new\nline", "tab\there", "😀", LONG, "ÜPPER", "select", "t", "T", "ctid_", "$1", "%s",
        "100%", "a;b--", "/*", "\\", "'", "ROW", "q", "d", " leading", "x y",
    ]  # fmt: skip

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    columns = ", ".join(f"{quoted(name)} int" for name in names)
    made = [f"CREATE SCHEMA {quoted(name)}" for name in names if name != "d"]
    made += [
        f"CREATE TABLE {quoted(names[place - 1])}.{quoted(name)} ({columns})"
        for place, name in enumerate(names)
        if names[place - 1] != "d"
    ]
    made += [
        f"INSERT INTO {quoted(names[place - 1])}.{quoted(name)} ({quoted(name)}) VALUES ({place})"
        for place, name in enumerate(names)
        if names[place - 1] != "d"
    ]
    with server.database(*made) as database:
        proof, _, found = there_and_back(server, database, tmp_path)
        assert [item for item in found.differences if item.kind == "table"] == []
        assert proof.rows == len(proof.tables) == len(names) - 1
        server.run(database, f'UPDATE {quoted(" leading")}."x y" SET "t" = 7')
        again = server.prove(database)
    changed = [table.name for a, table in zip(proof.tables, again.tables, strict=True) if a.sums != table.sums]
    assert changed == ["x y"]


def test_each_kind_of_relation_is_counted_by_its_own_rule(server: Server, tmp_path: Path) -> None:
    made = (
        "CREATE TABLE zero ()",
        "INSERT INTO zero DEFAULT VALUES",
        "INSERT INTO zero DEFAULT VALUES",
        "CREATE TABLE empty (a int)",
        "CREATE UNLOGGED TABLE unlogged (a int)",
        "INSERT INTO unlogged VALUES (1)",
        "CREATE TABLE root (id int, k text) PARTITION BY LIST (k)",
        "CREATE TABLE leaf_a PARTITION OF root FOR VALUES IN ('a')",
        "CREATE TABLE leaf_b (k text, id int)",
        "ALTER TABLE root ATTACH PARTITION leaf_b FOR VALUES IN ('b')",
        "INSERT INTO root VALUES (1, 'a'), (2, 'b'), (3, 'b')",
        "CREATE TABLE parent (a int)",
        "CREATE TABLE child (b int) INHERITS (parent)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO child VALUES (1, 2), (3, 4)",
        "CREATE TABLE generated (a int, twice int GENERATED ALWAYS AS (a * 2) STORED)",
        "INSERT INTO generated VALUES (1)",
        "CREATE MATERIALIZED VIEW copied AS SELECT * FROM parent",
        "CREATE VIEW seen AS SELECT * FROM parent",
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE FOREIGN TABLE far (a int) SERVER elsewhere",
        "CREATE TABLE owned (a int)",
        "INSERT INTO owned VALUES (1)",
        "ALTER EXTENSION postgres_fdw ADD TABLE owned",
    )
    with server.database(*made) as database:
        proof, restored, found = there_and_back(server, database, tmp_path)
    seen = {table.name: (table.kind, table.rows) for table in proof.tables}
    assert seen == {
        "child": ("table", 2),
        "empty": ("table", 0),
        "far": ("foreign", 0),
        "generated": ("table", 1),
        "leaf_a": ("partition", 1),
        "leaf_b": ("partition", 2),
        "owned": ("table", 0),
        "parent": ("table", 1),
        "unlogged": ("unlogged", 1),
        "zero": ("table", 2),
    }
    assert {table.name: table.uncovered for table in proof.tables if table.uncovered} == {
        "far": "foreign table: its rows live on another server",
        "owned": "belongs to extension postgres_fdw, which makes its rows anew",
    }
    assert next(table for table in proof.tables if table.name == "generated").columns == ("a",)
    assert next(table for table in proof.tables if table.name == "empty").sums == (0, 0, 0, 0)
    assert [item for item in found.differences if item.kind == "table"] == []
    assert len(restored.tables) == len(proof.tables) - 1, "the extension's table is made by nobody here"


def test_a_table_cut_into_ranges_adds_up_to_the_whole(server: Server) -> None:
    made = (
        "CREATE TABLE t (a int, b text)",
        "INSERT INTO t SELECT g, repeat('x', g % 500) FROM generate_series(1, 5000) g",
    )
    with server.database(*made) as database, server.connect(database) as session:
        pin(session)
        (table,) = relations.read(session)
        whole = ask(session, fingerprint.statement(table), (KEY,))[0]
        cuts = [fingerprint.Range(0, 1), fingerprint.Range(1, 40), fingerprint.Range(40, None)]
        parts = [ask(session, fingerprint.statement(table, within=cut), (KEY,))[0] for cut in cuts]
    assert table.pages > 40
    assert [sum(int(part[place]) for part in parts) for place in range(5)] == [int(value) for value in whole]
    assert whole[0] == 5000


TABLES = (
    "CREATE TABLE cut (a int, b text)",
    "INSERT INTO cut SELECT g, repeat('x', g % 500) FROM generate_series(1, 9000) g",
    "DELETE FROM cut WHERE a BETWEEN 1000 AND 4000",
    "CREATE TABLE empty (a int)",
    "CREATE TABLE emptied (a int, b text DEFAULT repeat('y', 1000))",
    "INSERT INTO emptied SELECT g FROM generate_series(1, 1000) g",
    "DELETE FROM emptied",
    "CREATE TABLE small (a int, b text)",
    "INSERT INTO small SELECT g, NULL FROM generate_series(1, 77) g",
    "CREATE TABLE none ()",
    "INSERT INTO none SELECT FROM generate_series(1, 5)",
    "CREATE TABLE toasted (a text)",
    "ALTER TABLE toasted ALTER a SET STORAGE EXTERNAL",
    "INSERT INTO toasted SELECT repeat(md5(g::text), 1000) FROM generate_series(1, 40) g",
)


def test_who_adds_the_words_up_makes_no_difference(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own sums, and ours of the digests that it hands over, whatever was known of the tables before; one block at a time, too."""
    with server.database(*TABLES) as name, server.connect(name) as leader, server.connect(name) as member:
        for session in (leader, member):
            pin(session)
        ask(leader, BEGIN)
        crew = Crew(leader, [member], snapshot=str(ask(leader, "SELECT pg_export_snapshot()")[0][0]))
        assert crew.near
        tables = {table.name: table for table in relations.read(leader)}
        assert tables["cut"].pages > 3 * fingerprint.SMALL
        for table in tables.values():
            far = _told(crew, table, major=server.major, near=False)
            assert far[0] == int(ask(leader, f'SELECT count(*) FROM "{table.schema}"."{table.name}"')[0][0])
            for dense in (0, 1, 150, 1_000_000):
                near = _told(crew, replace(table, dense=dense), major=server.major, near=True)
                assert near == far, (table.name, dense)
        cut = tables["cut"]
        far = _told(crew, cut, major=server.major, near=False)
        monkeypatch.setattr(fingerprint, "_ROWS", 1)
        assert len(fingerprint.handed(cut, major=server.major)) == cut.pages + 1
        assert _told(crew, cut, major=server.major, near=True) == far
        ask(leader, "ROLLBACK")


def _told(crew: Crew, table: relations.Relation, *, major: int, near: bool) -> list[int]:
    asked = fingerprint.questions(table, subject=table.label, key=KEY, shape=(major, False), near=near)
    total = [0] * 5
    for question, answer in crew.answers(batches(asked), doing="fingerprint"):
        total = [so_far + part for so_far, part in zip(total, fingerprint.counted(question, answer), strict=True)]
    return total


def test_a_parallel_worker_digests_the_same_bytes(server: Server) -> None:
    """It speaks the database's encoding whatever the client asked for; some servers think that workers cost nothing."""
    name = f"latin{server.major}"
    server.run("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        server.run(name, "CREATE TABLE t (id int PRIMARY KEY, a text)")
        server.run(name, "INSERT INTO t SELECT g, repeat(chr(233), 300) FROM generate_series(1, 2000) g")
        alone = server.prove(name).tables
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            server.run("postgres", f"ALTER DATABASE {name} SET {setting} = 0")
        together = [server.prove(name, sketches=Sketches()).tables for _ in range(3)]
    finally:
        server.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    assert together == [alone] * 3


def test_another_key_gives_another_fingerprint(server15: Server) -> None:
    made = ("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with server15.database(*made) as database, server15.connect(database) as session:
        (table,) = relations.read(session)
        sql = fingerprint.statement(table)
        assert ask(session, sql, (bytes(32),)) != ask(session, sql, (KEY,))


def test_a_database_without_an_encoding_keeps_its_bytes(server15: Server) -> None:
    """Rows of a SQL_ASCII database need not be text of any encoding, and still tell each other apart."""
    name = "no_encoding"
    server15.run("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        server15.run(name, "SET client_encoding = 'SQL_ASCII'", "CREATE TABLE t (a text, b text[], c jsonb)")
        server15.run(name, "INSERT INTO t SELECT convert_from('\\xe9'::bytea, 'SQL_ASCII'), NULL, NULL")
        first = server15.prove(name).tables[0]
        server15.run(name, "UPDATE t SET a = convert_from('\\xe8'::bytea, 'SQL_ASCII')")
        second = server15.prove(name).tables[0]
    finally:
        server15.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    assert (first.rows, second.rows) == (1, 1)
    assert first.sums != second.sums


def test_two_thousand_small_tables_are_pipelined(
    server15: Server, record_property: Callable[[str, object], None]
) -> None:
    made = (
        "DO $$ BEGIN FOR i IN 1..1000 LOOP"
        " EXECUTE format('CREATE TABLE t%s (id int, a text)', i + {0});"
        " EXECUTE format('INSERT INTO t%s VALUES (1, %L)', i + {0}, i); END LOOP; END $$"
    )
    with server15.database(made.format(0), made.format(1000)) as database:
        began = time.monotonic()
        proof = server15.prove(database)
        elapsed = time.monotonic() - began
    record_property("seconds", round(elapsed, 2))
    print(f"2,000 tables on PostgreSQL {server15.major}: {elapsed:.2f} s")  # noqa: T201 – a figure for people
    assert len(proof.tables) == proof.rows == 2000
    assert len({table.sums for table in proof.tables}) == 1000
