"""A stranger's corpus against real servers: every healthy schema stays quiet, every damage is told under its own name, in one copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from attestore.proof import Comparison, compare
from clusters import MAJORS
from servers import Server, copied, serve
from strange import DAMAGES, EXTENSIONS, HEALTHY, ROLES


def made(server: Server, database: str, schema: str, statements: str) -> None:
    """By psql, whose statements are transactions of their own."""
    script = f"SET client_min_messages = error; SET search_path = {schema}, public; {statements.replace('OWN_SCHEMA', schema)};"
    subprocess.run(
        [
            server.bindir / "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-o",
            "/dev/null",
            "-d",
            server.conninfo(database),
        ],
        input=script.encode(),
        check=True,
    )


def told(comparison: Comparison) -> set[str]:
    return {f"{difference.kind} {difference.subject}" for difference in comparison.differences}


@pytest.mark.parametrize("major", MAJORS)
def test_a_strangers_schemas_raise_no_alarm_and_a_strangers_damages_are_each_told_by_name(
    tmp_path: Path, major: int
) -> None:
    """Sound after one round trip and after two; then every damage is done to one copy, each in a schema of its own."""
    with serve(major) as server:
        server.run("postgres", *ROLES)
        with server.database(*(f"CREATE EXTENSION {name}" for name in EXTENSIONS)) as database:
            healthy = {
                f"h{number:02}": statements
                for number, (since, statements) in enumerate(HEALTHY.values())
                if since <= major
            }
            damages = {
                f"d{number:03}": (sentence, there, done, expected)
                for number, (since, sentence, there, done, expected) in enumerate(DAMAGES)
                if since <= major
            }
            there = healthy | {schema: case[1] for schema, case in damages.items()}
            server.run(database, *(f"CREATE SCHEMA {schema}" for schema in there))
            for schema, statements in there.items():
                made(server, database, schema, statements)
            source = server.prove(database)
            copied(server, database, "strange_once", tmp_path)
            copied(server, "strange_once", "strange_twice", tmp_path)
            for copy in ("strange_once", "strange_twice"):
                assert told(compare(source, server.prove_restored(copy, source))) == set(), copy
            for schema, (_, _, done, _) in damages.items():
                made(server, "strange_once", schema, done)
            found = told(compare(source, server.prove_restored("strange_once", source)))
            server.run("postgres", "DROP DATABASE strange_once", "DROP DATABASE strange_twice")
    expected = {
        subject.replace("OWN_SCHEMA", schema): sentence
        for schema, (sentence, _, _, subjects) in damages.items()
        for subject in subjects
    }
    named_since_18 = {each for each in found if each.startswith("not null constraint ") and each not in expected}
    assert [expected[each] for each in expected.keys() - found] == [], "damages that were not told"
    assert found - expected.keys() - named_since_18 == set(), "what nobody did"
    assert len(damages) >= 90
