"""Rows that exceed 1 GB in canonical form are told by their long values one by one, on both sides alike.

The limit itself is too large for a suite: here the server is made to refuse the rows of one table, as it refuses those.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.postgres import cells, fingerprint
from attestore.adapters.postgres.relations import Relation
from attestore.errors import ProgramFailedError
from attestore.proof import Sketches, compare, decode, encode
from servers import KEY, Nobody, Server, there_and_back

REFUSED = "repeat('x', 2000000000)::bytea"
"""SQL that the server refuses for its length, before it does anything"""

FIRST = "INSERT INTO wide VALUES (1, 'é', '\\xff', '{\"a\": 1.0}', '{x,NULL}', 'a', B'1', 'sad', 'd', 'fat:1A', 'v', 'NaN', 1.0, '1')"
MADE = (
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE DOMAIN described AS text",
    "CREATE TABLE wide (id int PRIMARY KEY, a text, b bytea, c jsonb, d text[], e bpchar(5), f varbit, g mood)",
    "ALTER TABLE wide ADD h described, ADD i tsvector, ADD j varchar, ADD k float8, ADD l numeric, ADD m json",
    FIRST,
    "INSERT INTO wide (id) VALUES (2)",
    "INSERT INTO wide VALUES (3, '', '', 'null', '{}', '', B'', NULL, '', '', '', 0, 0, '0')",
    "CREATE TABLE beside (id int PRIMARY KEY, a text)",
    "INSERT INTO beside SELECT g, 'x' FROM generate_series(1, 20) g",
    "CREATE TABLE empty (a text)",
)
ALTERED = {
    "text": "a = 'e'",
    "text to nothing": "a = NULL",
    "bytea": "b = '\\xfe'",
    "jsonb": "c = '{\"a\": 1.00}'",
    "array": "d = '{x,\"NULL\"}'",
    "varbit": "f = B'10'",
    "enum": "g = 'glad'",
    "domain": "h = 'D'",
    "tsvector": "i = 'fat:1B'",
    "float": "k = 0",
    "numeric": "l = 1.00",
    "json": "m = ' 1'",
    "values swapped between columns": "a = 'v', j = 'é'",
}


@pytest.fixture(autouse=True)
def _refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fingerprint.row

    def row(relation: Relation, *, encodingless: bool) -> str:
        if relation.name == "widest" or (relation.name == "wide" and not relation.wide):
            return REFUSED
        return real(relation, encodingless=encodingless)

    monkeypatch.setattr(fingerprint, "row", row)
    monkeypatch.setattr(cells, "row", row)


def test_a_restored_copy_is_told_as_its_source_was(server: Server, tmp_path: Path) -> None:
    with server.database(*MADE) as database:
        proof, restored, comparison = there_and_back(server, database, tmp_path)
    for side in (proof, decode(encode(restored))):
        assert {table.name: (table.rows, table.wide) for table in side.tables} == {
            "wide": (3, "UTF8"),
            "beside": (20, ""),
            "empty": (0, ""),
        }
    assert not comparison.differences
    assert any("public.wide, whose rows exceed 1 GB" in query.name for query in proof.queries)


def test_one_altered_value_is_found_in_its_row(server15: Server) -> None:
    kept = Sketches()
    told = {}
    with server15.database(*MADE) as database:
        proof = server15.prove(database, sketches=kept)
        for what, altered in ALTERED.items():
            server15.run(database, f"UPDATE wide SET {altered} WHERE id = 1")
            restored = server15.prove_restored(database, proof, sketches=kept, shown=True)
            told[what] = [(each.name, each.words(), each.keys[0].shown) for each in compare(proof, restored).rows]
            server15.run(database, "DELETE FROM wide WHERE id = 1", FIRST)
    assert told == {what: [("wide", "1 row changed", "1")] for what in ALTERED}


def test_the_bytes_are_those_of_the_sources_encoding(servers: dict[int, Server], tmp_path: Path) -> None:
    source, target, name = servers[15], servers[18], "latin"
    source.run("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        source.run(name, "SET client_encoding = 'UTF8'", *MADE)
        proof = source.prove(name)
        with source.source(name).snapshot() as snapshot:
            source.dump(name, tmp_path / "dump", snapshot=snapshot.name)
    finally:
        source.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    with target.database() as copy:
        target.restore(tmp_path / "dump", copy)
        restored = target.prove_restored(copy, proof)
    assert {table.name: table.wide for table in proof.tables} == {"wide": "LATIN1", "beside": "", "empty": ""}
    assert [each for each in compare(proof, restored).differences if each.kind == "table"] == []


def test_what_a_restore_computes_anew_may_be_too_large_to_compare(server15: Server) -> None:
    made = (
        "CREATE TABLE wide (a text, b text GENERATED ALWAYS AS (a || 'x') STORED)",
        "CREATE MATERIALIZED VIEW widest AS SELECT a FROM wide",
    )
    with server15.database(*made) as database:
        proof = server15.prove(database)
    assert [(each.label, each.unread) for each in proof.computed] == [
        ("public.wide.b", ""),
        ("public.widest", "a row with it exceeds 1 GB"),
    ]


def test_a_restored_table_is_never_told_otherwise_than_its_source(server15: Server) -> None:
    with server15.database(*MADE) as database:
        proof = server15.prove(database)
        plain = replace(proof, tables=tuple(replace(table, wide="") for table in proof.tables))
        with pytest.raises(ProgramFailedError, match=r"cannot fingerprint public\.wide"):
            server15.prove_restored(database, plain)


def test_rows_that_the_leader_must_read_do_not_end_its_snapshot(server15: Server) -> None:
    """Whoever waits for an exclusive lock sends every other session away, and the leader's transaction is the snapshot."""
    queued = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    with server15.database(*MADE) as database:
        alone = server15.prove(database)
        with server15.source(database).snapshot() as snapshot, server15.connect(database) as waiter:
            waiter.pgconn.send_query(b"BEGIN; LOCK TABLE public.wide IN ACCESS EXCLUSIVE MODE")
            with server15.connect(database) as looker:
                while looker.execute(queued).fetchone() != (1,):
                    pass
            proof = snapshot.prove(KEY, probes=(), jobs=1, watch=Nobody())
            waiter.cancel_safe()
            waiter.close()
    assert proof.tables == alone.tables
    assert {table.name: table.wide for table in proof.tables} == {"wide": "UTF8", "beside": "", "empty": ""}
