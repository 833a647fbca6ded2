"""The negative control: what is planted can be found under the name it was planted with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest

from attestore.adapters.postgres import locate, objects
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.plant import plant
from attestore.proof import Sketches
from attestore.proof.sketch import Sketch
from clusters import MAJORS, running_server
from schemas import create_rich
from servers import KEY


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    with running_server(MAJORS[0]) as found:
        yield found


@pytest.fixture
def database(server: Connection, request: pytest.FixtureRequest) -> Iterator[Connection]:
    name = f"d{abs(hash(request.node.name)) % 10**9}"
    with server.connect() as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    yield server.on(name)
    with server.connect() as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _content(session: psycopg.Connection[tuple[object, ...]]) -> dict[str, list[str]]:
    """Every row of every leaf table as text, by label."""
    tables = session.execute(
        "SELECT n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information'"
    ).fetchall()
    return {
        f"{schema}.{name}": sorted(
            str(row[0]) for row in session.execute(f"SELECT x::text FROM ONLY {quoted} x".encode()).fetchall()
        )
        for schema, name, quoted in tables
    }


def _nowhere(_schema: str, _name: str, _rows: Sequence[str]) -> dict[str, int]:
    """No table has a sketch."""
    return {}


def _planted(database: Connection) -> tuple[list[str], set[str], set[str]]:
    """What was planted, the tables whose rows are other ones, the objects that are gone or new."""
    with database.connect() as session:
        rows, (defined, _) = _content(session), objects.read(session, key=KEY)
    planted, _ = plant(database.connect, cells=_nowhere)
    with database.connect() as session:
        after, (redefined, _) = _content(session), objects.read(session, key=KEY)
    changed = {name for name in rows.keys() | after.keys() if rows.get(name) != after.get(name)}
    return [f"{p.what}: {p.subject}" for p in planted], changed, {o.identity for o in set(defined) ^ set(redefined)}


def test_a_value_a_row_and_an_index_are_changed_and_nothing_else(database: Connection) -> None:
    with database.connect() as session:
        create_rich(session)
    planted, changed, objects_changed = _planted(database)
    assert len(planted) == 3
    subjects = [line.partition(": ")[2] for line in planted]
    assert changed == set(subjects[:2])
    assert len(changed) == 2, "each in a table of its own"
    assert objects_changed == {subjects[2]}


def test_a_database_with_one_row_and_no_index_gets_what_it_can(database: Connection) -> None:
    with database.connect() as session:
        session.execute('CREATE TABLE "a.b" (id int PRIMARY KEY, "v""" text); INSERT INTO "a.b" VALUES (1, \'x\')')
    planted, changed, objects_changed = _planted(database)
    # the altered row is not deleted, too: one difference would be counted as two
    assert planted == ['one value of column v" altered: public.a.b']
    assert changed == {"public.a.b"}
    assert objects_changed == set()


def test_an_empty_database_gets_a_table_that_it_must_not_have(database: Connection) -> None:
    planted, changed, objects_changed = _planted(database)
    assert planted == ["one table added: attestore_negative_control.extra"]
    assert changed == {"attestore_negative_control.extra"}
    assert "attestore_negative_control.extra" in objects_changed


def test_checks_keys_and_triggers_that_refuse_are_passed_over(database: Connection) -> None:
    """A trigger that is enabled always, a check on every column, a published table without identity."""
    with database.connect() as session:
        session.execute(
            """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
            CREATE TABLE guarded (a int);
            INSERT INTO guarded VALUES (1);
            CREATE TRIGGER t BEFORE UPDATE OR DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION refuse();
            ALTER TABLE guarded ENABLE ALWAYS TRIGGER t;
            CREATE TABLE checked (a int CHECK (a = 1), b text CHECK (b IN ('x')), c bool);
            INSERT INTO checked VALUES (1, 'x', true);
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (parent int REFERENCES parent, filler text);
            INSERT INTO parent VALUES (1);
            INSERT INTO child SELECT 1, repeat('y', 900) FROM generate_series(1, 100);
            ANALYZE"""
        )
    planted, changed, _ = _planted(database)
    assert planted == ["one value of column c altered: public.checked", "one row deleted: public.parent"]
    assert changed == {"public.checked", "public.parent"}


def test_nothing_is_planted_where_a_trigger_or_a_rule_would_change_more(database: Connection) -> None:
    """Triggers and rules that are enabled always fire in a replica's session, too; so do event triggers."""
    with database.connect() as session:
        session.execute(
            """CREATE TABLE log (what text);
            CREATE TABLE watched (a int);
            CREATE TABLE ruled (a int);
            CREATE TABLE plain (a int, filler text);
            INSERT INTO watched VALUES (1), (2);
            INSERT INTO ruled VALUES (1), (2);
            INSERT INTO plain SELECT 1, repeat('y', 900) FROM generate_series(1, 100);
            CREATE INDEX ON plain (a);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN INSERT INTO public.log VALUES (tg_op); RETURN NULL; END $$;
            CREATE TRIGGER t AFTER UPDATE OR DELETE ON watched FOR EACH ROW EXECUTE FUNCTION note();
            ALTER TABLE watched ENABLE ALWAYS TRIGGER t;
            CREATE RULE r AS ON UPDATE TO ruled DO ALSO INSERT INTO log VALUES ('rule');
            ALTER TABLE ruled ENABLE REPLICA RULE r;
            CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$
              BEGIN INSERT INTO public.log VALUES ('drop'); END $$;
            CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION noted();
            ALTER EVENT TRIGGER e ENABLE ALWAYS"""
        )
    planted, changed, objects_changed = _planted(database)
    assert planted == ["one value of column a altered: public.plain", "one row deleted: public.plain"]
    assert (changed, objects_changed) == ({"public.plain"}, set())


VALUES = [
    ("text", "''"), ("varchar(1)", "'~'"), ("char(3)", "'abc'"), ("int2", "32767"), ("int4", "-1"), ("int8", "9223372036854775807"),
    ("numeric", "'NaN'"), ("numeric(5,2)", "1"), ("float8", "'NaN'"), ("float4", "1"), ("bool", "false"), ("date", "'infinity'"),
    ("timestamp", "'2000-01-01'"), ("timestamptz", "now()"), ("uuid", "gen_random_uuid()"), ("bytea", "''"),
]  # fmt: skip


def test_a_value_of_every_kind_becomes_another(database: Connection) -> None:
    for kind, value in VALUES:
        with database.connect() as session:
            session.execute(f"CREATE TABLE t (v {kind}); INSERT INTO t VALUES ({value}), (NULL), ({value})".encode())
        planted = [f"{p.what}: {p.subject}" for p in plant(database.connect, cells=_nowhere)[0]]
        with database.connect() as session:
            session.execute("DROP TABLE t")
        # NaN + 1 is no other value
        altered = [] if (kind, value) == ("numeric", "'NaN'") else ["one value of column v altered: public.t"]
        assert planted == [*altered, "one row deleted: public.t"], kind


def _addresses(database: Connection) -> dict[int, str]:
    with database.connect() as session:
        rows = session.execute("SELECT id, ctid::text FROM t WHERE note !~ '~$'").fetchall()
    return {int(number): str(at) for number, at in rows}


@pytest.mark.parametrize("number", range(8))
def test_two_changes_of_one_table_are_of_rows_that_its_sketch_can_tell_apart(database: Connection, number: int) -> None:
    """Two cells only: half of all pairs share one, and two rows that are missing from one cell are never told."""
    key = bytes([number]) * 32
    with database.connect() as session:
        session.execute(
            "CREATE TABLE t (id int PRIMARY KEY, note text);"
            "INSERT INTO t SELECT i, repeat('x', 900) FROM generate_series(1, 300) i"
        )
    sketch = Sketch("public", "t", 1, ("id",), integral=True, cells={})
    cells = locate.spread(database.connect, Sketches((sketch,)), key=key)
    before = _addresses(database)
    known = cells("public", "t", list(before.values()))
    assert set(known.values()) == {0, 1}
    planted = [p.what for p in plant(database.connect, cells=cells)[0]]
    assert planted == ["one value of column note altered", "one row deleted"]
    gone = before.keys() - _addresses(database).keys()
    assert len(gone) == 2
    assert {known[before[each]] for each in gone} == {0, 1}


def test_a_table_of_equal_rows_has_one_cell_and_is_changed_all_the_same(database: Connection) -> None:
    with database.connect() as session:
        session.execute("CREATE TABLE t (note text); INSERT INTO t SELECT 'x' FROM generate_series(1, 300)")
    cells = locate.spread(
        database.connect, Sketches((Sketch("public", "t", 1, (), integral=False, cells={}),)), key=bytes(32)
    )
    assert [p.what for p in plant(database.connect, cells=cells)[0]] == [
        "one value of column note altered",
        "one row deleted",
    ]


def test_a_constraint_that_waits_for_the_commit_refuses_one_change_and_not_all(database: Connection) -> None:
    with database.connect() as session:
        session.execute(
            """CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED, filler text CHECK (filler = 'f'));
            INSERT INTO t SELECT i, 'f' FROM generate_series(1, 3) i"""
        )
    planted, changed, _ = _planted(database)
    assert planted[-1] == "one row deleted: public.t"
    assert changed == {"public.t"}


DEALT = """CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't');
CREATE TABLE {0} (k int, mood mood, note text) PARTITION BY HASH (mood);
CREATE TABLE {0}_0 PARTITION OF {0} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE {0}_1 PARTITION OF {0} FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO {0} SELECT i, (enum_range(NULL::mood))[1 + i % 20], 'x' FROM generate_series(1, 40) i;
CREATE INDEX {0}_i ON {0}_0 (note);"""


def test_rows_that_are_compared_together_are_changed_where_there_are_no_others(database: Connection) -> None:
    """One change of each such table: two would be told as one difference."""
    with database.connect() as session:
        session.execute(DEALT.format("visit").encode())
    planted, changed, objects_changed = _planted(database)
    assert planted == ["one value of column k altered: public.visit", "one index dropped: public.visit_i"]
    assert len(changed) == 1
    assert changed < {"public.visit_0", "public.visit_1"}
    assert objects_changed == {"public.visit_i"}
    with database.connect() as session:
        session.execute(DEALT.format("call").partition(";")[2].encode())
    assert _planted(database)[0] == [
        "one value of column k altered: public.call",
        "one row deleted: public.visit",
        "one index dropped: public.call_i",
    ]
    with database.connect() as session:
        session.execute("CREATE TABLE plain (a int); INSERT INTO plain VALUES (1)")
    assert _planted(database)[0] == ["one value of column a altered: public.plain", "one row deleted: public.call"]
