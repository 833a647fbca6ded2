"""Definitions are read back by a real server: equal things become equal, other things stay other, nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from attestore.adapters.postgres import objects, readings
from attestore.adapters.postgres.cluster import Connection
from attestore.proof import Object
from clusters import MAJORS, running_server
from schemas import create_rich
from servers import KEY


@pytest.fixture(scope="module")
def rich() -> Iterator[Connection]:
    with running_server(MAJORS[-1]) as server:
        with server.connect() as session:
            create_rich(session)
        yield server


def _read(server: Connection, *pairs: tuple[Object, Object]) -> dict[str, str]:
    with server.connect() as session:
        found = readings.read_back(session, source=[a for a, _ in pairs], restored=[b for _, b in pairs])
    return {reading.definition: reading.reads for reading in found}


def _pair(klass: str, identity: str, first: str, second: str, *, state: str = "") -> tuple[Object, Object]:
    return Object(klass, identity, first, state), Object(klass, identity, second, state)


EQUAL = [
    ("constraint", "app.users.x", "CHECK (status IN ('a', 'b'))", "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))"),
    ("domain constraint", "app.state.x", "CHECK (VALUE IN ('a'))", "CHECK (VALUE::text = 'a'::text)"),
    ("default", "app.users.name", "'a'::varchar(40)", "'a'::character varying(40)"),
    ("view", "app.open_users", "SELECT 1 AS x", " SELECT 1   AS x;"),
    ("policy", "app.users.own", "AS PERMISSIVE FOR SELECT TO rich_reader USING (id=1)", "AS PERMISSIVE FOR SELECT TO rich_reader USING ((id = 1))"),
    ("index", "app.users_open", "CREATE INDEX users_open ON app.users USING btree (id) WHERE id=1", "CREATE INDEX users_open ON app.users USING btree (id) WHERE (id = 1)"),
    ("rule", "app.lines.quiet", "CREATE RULE quiet AS ON UPDATE TO app.lines WHERE old.a=1 DO NOTHING", "CREATE RULE quiet AS ON UPDATE TO app.lines WHERE (old.a = 1) DO ALSO NOTHING"),
    ("partition", "app.hashed_0", "OF app.hashed FOR VALUES WITH (MODULUS 2,REMAINDER 0)", "OF app.hashed FOR VALUES WITH (modulus 2, remainder 0)"),
    ("partition key", "app.hashed", "HASH (lower(k))", "HASH (LOWER(k))"),
    ("statistics", "app.users_expr_stats", "CREATE STATISTICS app.users_expr_stats ON (lower(note)), id FROM app.users", "CREATE STATISTICS app.users_expr_stats ON id, lower(note) FROM app.users"),
    ("publication table", "part TABLE app.orders", "WHERE (a>0)", "WHERE ((a > 0))"),
]  # fmt: skip


@pytest.mark.parametrize(("klass", "identity", "first", "second"), EQUAL, ids=[case[0] for case in EQUAL])
def test_two_spellings_read_alike(rich: Connection, klass: str, identity: str, first: str, second: str) -> None:
    read = _read(rich, _pair(klass, identity, first, second))
    # a text that the other reads as needs no reading of its own
    assert read[first] == read.get(second, second)


OTHER = [
    ("constraint", "app.users.x", "CHECK (status IN ('a', 'b'))", "CHECK (status IN ('a', 'c'))", ""),
    ("constraint", "app.users.x", "CHECK (status IN ('a', 'b'))", "CHECK (status IN ('a', 'b') OR true)", ""),
    ("constraint", "app.users.x", "CHECK (price > 0)", "CHECK (price > 0) NO INHERIT", ""),
    ("default", "app.users.name", "'a'", "'b'", ""),
    ("default", "app.users.full_name", "name || 'a'", "name || 'b'", "generated stored"),
    ("view", "app.open_users", "SELECT 1 AS x", "SELECT 1 AS y", ""),
    ("policy", "app.users.own", "AS PERMISSIVE FOR ALL TO PUBLIC USING (id = 1)", "AS PERMISSIVE FOR SELECT TO PUBLIC USING (id = 1)", ""),
    ("policy", "app.users.own", "AS PERMISSIVE FOR ALL TO PUBLIC USING (id = 1)", "AS PERMISSIVE FOR ALL TO PUBLIC WITH CHECK (id = 1)", ""),
    ("index", "app.users_open", "CREATE UNIQUE INDEX users_open ON app.users USING btree (id)", "CREATE INDEX users_open ON app.users USING btree (id)", ""),
    ("index", "app.users_open", "CREATE INDEX users_open ON app.users USING btree (id) WHERE id IN (1, 2)", "CREATE INDEX users_open ON app.users USING btree (id) WHERE id IN (1, 3)", ""),
    ("partition", "app.hashed_0", "OF app.hashed FOR VALUES WITH (modulus 2, remainder 0)", "OF app.hashed FOR VALUES WITH (modulus 2, remainder 1)", ""),
]  # fmt: skip


@pytest.mark.parametrize(("klass", "identity", "first", "second", "state"), OTHER)
def test_two_meanings_stay_different(
    rich: Connection, klass: str, identity: str, first: str, second: str, state: str
) -> None:
    read = _read(rich, _pair(klass, identity, first, second, state=state))
    assert read.get(first, first) != read.get(second, second)
    assert first in read, "a reading was made, so it is the readings that differ"


REFUSED = [
    ("constraint", "app.users.x", "CHECK (no_such_column = 1)"),
    ("constraint", "app.users.x", "CHECK (true); DROP TABLE app.users"),
    ("default", "app.users.name", "'x'; COMMIT; DROP TABLE app.lines"),
    ("view", "app.open_users", "SELECT 1; DROP TABLE app.lines"),
    ("function", "app.touch()", "CREATE FUNCTION evil() RETURNS int\n LANGUAGE plpgsql\nAS $$ BEGIN END $$; SELECT 1"),
    ("function", "app.touch()", "CREATE OR REPLACE FUNCTION app.touch() RETURNS trigger\n LANGUAGE c\nAS 'evil'"),
    ("index", "app.users_open", "CREATE INDEX users_open ON app.lines USING btree (id)"),
    ("trigger", "app.users.no_such", "CREATE TRIGGER no_such BEFORE UPDATE ON app.users EXECUTE FUNCTION app.touch()"),
]


@pytest.mark.parametrize(("klass", "identity", "text"), REFUSED)
def test_what_the_server_does_not_take_has_no_reading(rich: Connection, klass: str, identity: str, text: str) -> None:
    """Nor is a second statement smuggled in; a good definition beside it is read all the same."""
    good = _pair("constraint", "app.lines.y", "CHECK (a IN (1, 2))", "CHECK (a IN (1, 3))")
    read = _read(rich, _pair(klass, identity, text, "something else"), good)
    assert text not in read
    assert good[0].definition in read
    with rich.connect() as session:
        assert session.execute("SELECT to_regclass('app.users') IS NOT NULL AND to_regclass('app.lines') IS NOT NULL").fetchone() == (True,)  # fmt: skip


def test_nothing_of_the_copy_is_changed_and_no_trigger_runs(rich: Connection) -> None:
    """Not even an event trigger that is enabled always."""
    with rich.connect() as session:
        session.execute(
            """CREATE SEQUENCE IF NOT EXISTS public.fired;
            CREATE OR REPLACE FUNCTION public.fire() RETURNS event_trigger LANGUAGE plpgsql
              AS $$ BEGIN PERFORM nextval('public.fired'); END $$;
            CREATE EVENT TRIGGER alert ON ddl_command_end EXECUTE FUNCTION public.fire();
            ALTER EVENT TRIGGER alert ENABLE ALWAYS"""
        )
        before = objects.read(session, key=KEY)
        fired = session.execute("SELECT last_value, is_called FROM public.fired").fetchone()
        pairs = [_pair(*case) for case in EQUAL]
        read = readings.read_back(session, source=[a for a, _ in pairs], restored=[b for _, b in pairs])
        assert len(read) >= len(EQUAL)
        assert objects.read(session, key=KEY) == before
        assert session.execute("SELECT last_value, is_called FROM public.fired").fetchone() == fired
        assert session.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        session.execute("CREATE ROLE plain; GRANT SET ON PARAMETER session_replication_role TO plain; SET ROLE plain")
        # who may not silence it reads nothing
        assert readings.read_back(session, source=[pairs[0][0]], restored=[pairs[0][1]]) == ()
        session.execute("RESET ROLE; DROP EVENT TRIGGER alert; DROP OWNED BY plain; DROP ROLE plain")


def test_classes_without_expressions_and_objects_of_one_side_are_not_read(rich: Connection) -> None:
    alone = Object("constraint", "app.users.z", "CHECK (id > 0)")
    plain = _pair("table", "app.users", "table", "partitioned table")
    with rich.connect() as session:
        assert readings.read_back(session, source=[alone, plain[0]], restored=[plain[1]]) == ()
