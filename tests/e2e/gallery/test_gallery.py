"""The demo system on real servers: the shape that reports are set beside, and the same rows everywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import psycopg
import pytest

from attestore import gate, resources
from attestore.adapters import gallery
from attestore.adapters.postgres.cluster import Connection
from attestore.errors import ScratchError, UnreachableError, UsageError
from clusters import MAJORS, running_server

GATE = gate.read(resources.gates_folder() / "examples" / "gallery" / "S9-PROD-004.yaml")


@pytest.fixture(scope="module", params=MAJORS, ids=lambda major: f"PostgreSQL {major}")
def server(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with running_server(request.param) as running:
        gallery.create(running.conninfo)
        yield running


def one(server: Connection, query: str) -> object:
    with server.connect() as session:
        row = session.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def rows(server: Connection) -> dict[str, int]:
    return {table: int(str(one(server, f"SELECT count(*) FROM public.{table}"))) for table in gallery.ROWS}


def content(server: Connection) -> dict[str, str]:
    """SHA-256 of each table's rows as COPY writes them, in their stored order."""
    found = {}
    with server.connect() as session:
        session.execute("SET TimeZone = 'UTC'")
        for table in gallery.ROWS:
            digest = hashlib.sha256()
            with session.cursor() as cursor, cursor.copy(f"COPY public.{table} TO STDOUT".encode()) as copied:
                for block in copied:
                    digest.update(block)
            found[table] = digest.hexdigest()
    return found


def fresh(server: Connection, name: str) -> Connection:
    with server.connect() as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'".encode())
    return server.on(name)


def test_it_has_the_rows_that_the_report_beside_it_has(server: Connection) -> None:
    assert rows(server) == dict(gallery.ROWS)
    assert sum(gallery.ROWS.values()) == 7305


def test_a_scale_multiplies_every_table(server: Connection) -> None:
    tripled = fresh(server, "tripled")
    gallery.create(tripled.conninfo, scale=3)
    assert rows(tripled) == {table: 3 * count for table, count in gallery.ROWS.items()}


def test_the_rows_are_the_same_on_every_server_at_any_time(server: Connection) -> None:
    """Found on PostgreSQL 15 and 18; whoever changes gallery.sql changes this on purpose."""
    together = hashlib.sha256("".join(f"{table} {digest}\n" for table, digest in content(server).items()).encode())
    assert together.hexdigest() == "974f51b38ef0784b0336f98ba9363414f3ef312ee9fc3cf271e4f01656c52375"


@pytest.mark.parametrize(
    ("what", "query", "count"),
    [
        ("tables", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", 10),
        ("indexes", "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'", 52),
        ("triggers", "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal", 4),
        ("functions", "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace", 1),
        # NOT NULL is a constraint of pg_constraint from PostgreSQL 18 on, and everywhere in information_schema
        (
            "constraints",
            "SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
            99,
        ),
        ("foreign keys", "SELECT count(*) FROM pg_constraint WHERE contype = 'f'", 18),
        ("sequences", "SELECT count(*) FROM pg_sequences", 7),
        ("invalid", "SELECT count(*) FROM pg_index WHERE NOT indisvalid", 0),
        ("left over", "SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text ~ '^pg_temp'", 0),
    ],
)
def test_it_has_the_objects_that_the_report_beside_it_has(
    server: Connection, what: str, query: str, count: int
) -> None:
    assert (what, one(server, query)) == (what, count)


@pytest.mark.parametrize("probe", GATE.probes, ids=lambda probe: probe.id)
def test_each_probe_of_its_gate_finds_its_rows(server: Connection, probe: gate.Probe) -> None:
    with server.connect() as session:
        session.execute("SET search_path = ''")
        session.execute("SET default_transaction_read_only = on")
        rows = session.execute(probe.sql.encode()).fetchall()
    assert probe.operator.holds(len(rows), probe.bound), f"{len(rows)} rows"
    for operator, bound in probe.values:
        assert operator.holds(rows[0][0], bound), rows


@pytest.mark.parametrize(
    ("case", "query"),
    [
        ("emoji", "SELECT count(*) FROM comments WHERE body ~ '[\\U0001F300-\\U0001FAFF]'"),
        ("joined emoji", "SELECT count(*) FROM comments WHERE body ~ '\\u200D'"),
        ("Cyrillic", "SELECT count(*) FROM users WHERE display_name ~ '[\\u0400-\\u04FF]'"),
        ("Chinese", "SELECT count(*) FROM images WHERE title ~ '[\\u4E00-\\u9FFF]'"),
        ("Arabic", "SELECT count(*) FROM users WHERE display_name ~ '[\\u0600-\\u06FF]'"),
        ("NULL beside empty", "SELECT least(count(*) FILTER (WHERE bio IS NULL), count(*) FILTER (WHERE bio = '')) FROM users"),
        ("deleted by owner", "SELECT count(*) FROM images WHERE deleted_at IS NOT NULL AND status = 'deleted'"),
        ("each reason", "SELECT count(DISTINCT revoked_reason) - 3 FROM sessions"),
        ("each virus", "SELECT count(DISTINCT scan_signature) - 2 FROM images"),
        ("over 500", "SELECT count(*) FROM comments WHERE char_length(body) > 500"),
        ("a line of COPY's end", "SELECT count(*) FROM comments WHERE body = '\\N'"),
        ("carriage return", "SELECT count(*) FROM comments WHERE body ~ '\\r\\n'"),
        ("last microsecond", "SELECT count(*) FROM users WHERE deleted_at::text ~ '59\\.999999'"),
        ("answers", "SELECT count(*) FROM comments WHERE parent_id IS NOT NULL"),
        ("stored expression", "SELECT count(*) FROM images WHERE megapixels = round(width::numeric * height / 1000000, 2)"),
        ("popularity", "SELECT max(n) - 3 * min(n) FROM (SELECT count(*) AS n FROM likes GROUP BY image_id) AS l"),
    ],
)  # fmt: skip
def test_edge_cases_have_rows_that_exercise_them(server: Connection, case: str, query: str) -> None:
    found = one(server, query)
    assert isinstance(found, int), case
    assert found > 0, case


def test_the_figures_agree_with_each_other(server: Connection) -> None:
    assert one(server, "SELECT sum(image_count) FROM albums") == gallery.ROWS["album_images"]
    assert one(server, "SELECT bool_and(u.storage_used_bytes = (SELECT coalesce(sum(size_bytes), 0) FROM images i WHERE i.owner_id = u.id)) FROM users u") is True  # fmt: skip
    assert one(server, "SELECT bool_and(c.image_id = p.image_id AND c.created_at > p.created_at) FROM comments c JOIN comments p ON p.id = c.parent_id") is True  # fmt: skip


def test_it_lives(server: Connection) -> None:
    """New rows get new ids, triggers fire, references hold."""
    with server.connect() as session, session.transaction(force_rollback=True):
        added = session.execute(
            "INSERT INTO public.comments (image_id, user_id, body) VALUES (1, 1, 'new') RETURNING id"
        ).fetchone()
        assert added == (gallery.ROWS["comments"] + 1,)
        changed = session.execute(
            "UPDATE public.images SET title = title WHERE id = 1 RETURNING updated_at > timestamptz '2026-01-01'"
        ).fetchone()
        assert changed == (True,)
        with (
            pytest.raises((psycopg.errors.ForeignKeyViolation, psycopg.errors.RestrictViolation)),
            session.transaction(),
        ):
            session.execute("DELETE FROM public.users WHERE id = 1")


def test_a_database_that_holds_tables_is_left_alone(server: Connection) -> None:
    before = content(server)
    with pytest.raises(UsageError, match="already holds tables"):
        gallery.create(server.conninfo)
    assert content(server) == before


def test_what_the_server_refuses_leaves_nothing(server: Connection) -> None:
    taken = fresh(server, "taken")
    with taken.connect() as session:
        session.execute("CREATE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'")
    with pytest.raises(ScratchError, match="could not be loaded: function"):
        gallery.create(taken.conninfo)
    assert one(taken, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        gallery.create("host=/nowhere dbname=x connect_timeout=2")


@pytest.mark.parametrize("scale", [0, -1, 10_001])
def test_a_scale_out_of_range_is_refused(scale: int) -> None:
    with pytest.raises(UsageError, match=f"scale {scale} is not"):
        gallery.sql(scale)


def test_the_script_has_no_clock_and_no_dice() -> None:
    script = gallery.sql(7)
    inserts = script[script.index("-- ── rows") : script.index("-- ── keys")]
    assert re.findall(r"\b(now|random|clock_timestamp|current_\w+|gen_random_uuid)\b", inserts) == []
    assert re.findall(r"(?<!:):scale\b", script) == []
