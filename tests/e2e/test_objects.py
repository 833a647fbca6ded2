"""A rich database, dumped and restored: nothing differs, and every single alteration is found under its own name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
import pytest

from alterations import ALTERATIONS
from attestore.adapters.postgres import objects, readings, world
from attestore.adapters.postgres.cluster import Connection
from attestore.proof import Difference, Object, Proof, Setting, compare
from clusters import MAJORS, installation, running_server
from schemas import QUIRKS_18_SQL, QUIRKS_SQL, create_rich, create_roles
from servers import KEY

Seen: TypeAlias = tuple[tuple[Object, ...], tuple[Setting, ...], tuple[str, ...]]


def seen(session: psycopg.Connection[Any]) -> Seen:
    defined, _ = objects.read(session, key=KEY)
    return defined, world.settings(session), objects.classes(session.info.server_version)


def differences(source: Seen, restored: psycopg.Connection[Any]) -> tuple[Difference, ...]:
    """What `compare` says of two databases that hold no rows."""
    defined, settings, asked = seen(restored)
    read = readings.read_back(restored, source=source[0], restored=defined)
    return compare(_proof("source", *source), _proof("restored", defined, settings, asked, read)).differences


def _proof(
    side: str, defined: tuple[Object, ...], settings: tuple[Setting, ...], asked: tuple[str, ...], read: Any = ()
) -> Proof:
    return Proof(
        side=side,
        database="",
        server="",
        taken="",
        method="audit",
        key_commitment="",
        session=(),
        tables=(),
        objects=defined,
        foreign_keys=(),
        sequences=(),
        probes=(),
        settings=settings,
        readings=read,
        asked=asked,
    )


def copy(source: Connection, target: Connection, *, major: int) -> None:
    """Dump and restore, as a run does it, with the programs of `major`."""
    programs = installation(major).bindir
    with source.connect() as session:
        around = world.read(session)
    with target.on("postgres").connect() as session:
        session.execute(
            f'CREATE DATABASE "{target.database}" TEMPLATE template0 ENCODING UTF8 LOCALE "C.UTF-8"'.encode()
        )
        assert world.apply_roles(session, around) == ()
    dump = subprocess.run(
        [programs / "pg_dump", "-Fc", "-Z0", source.database],
        env=dict(source.variables),
        check=True,
        capture_output=True,
    )
    restore = subprocess.run(
        [programs / "pg_restore", "-d", target.database],
        env=dict(target.variables),
        check=False,
        capture_output=True,
        input=dump.stdout,
    )
    assert restore.stderr.decode() == ""
    with target.on("postgres").connect() as session:
        assert world.apply_settings(session, around, database=target.database) == ()


@contextmanager
def rich_server(major: int, *, icu: bool = True) -> Iterator[Connection]:
    with running_server(major) as server:
        with server.connect() as session:
            create_rich(session, icu=icu)
        yield server


@pytest.mark.parametrize("major", MAJORS)
def test_a_rich_database_restored_once_and_twice_differs_in_nothing(major: int) -> None:
    """Also in a cluster of its own, whose roles were made from the backup."""
    with rich_server(major) as rich, running_server(major) as other:
        with rich.connect() as session:
            source = seen(session)
        first, second = rich.on("first"), other.on("second")
        copy(rich, first, major=major)
        copy(first, second, major=major)
        for restored in (first, second):
            with restored.connect() as session:
                assert differences(source, session) == ()
        assert len(source[0]) > 400


@pytest.mark.parametrize("major", MAJORS)
def test_quirks_of_old_and_new_majors_raise_no_false_alarm(major: int) -> None:
    with running_server(major) as server:
        with server.connect() as session:
            create_roles(session)
            session.execute(QUIRKS_SQL.encode())
            if major >= 18:
                session.execute(QUIRKS_18_SQL.encode())
            source = seen(session)
        first, second = server.on("first"), server.on("second")
        copy(server, first, major=major)
        copy(first, second, major=major)
        for restored in (first, second):
            with restored.connect() as session:
                assert differences(source, session) == ()


def test_a_restore_on_a_newer_major_differs_only_in_versions_of_extensions() -> None:
    assert MAJORS[-1] > MAJORS[0]
    with rich_server(MAJORS[0], icu=False) as old, running_server(MAJORS[-1]) as new:
        with old.connect() as session:
            source = seen(session)
        copy(old, new.on("restored"), major=MAJORS[-1])
        with new.on("restored").connect() as session:
            found = differences(source, session)
    assert {(d.kind, d.subject) for d in found} == {("extension", "citext"), ("extension", "btree_gist")}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Seen, Connection]]:
    """What a once restored rich database holds, and a copy of that: texts are stable, and each case quick."""
    with rich_server(MAJORS[0]) as rich:
        copy(rich, rich.on("first"), major=MAJORS[0])
        with rich.on("first").connect() as session:
            source = seen(session)
        copy(rich.on("first"), rich.on("copy"), major=MAJORS[0])
        yield source, rich.on("copy")


MARKS = {
    "object missing after restore": "-",
    "object only in the restore": "+",
    "other definition": "~",
    "other state": "!",
    "setting or role differs": "=",
}


@pytest.mark.parametrize(("alteration", "expected"), [pytest.param(*given[1:], id=given[0]) for given in ALTERATIONS])
def test_one_alteration_is_found_and_named_and_nothing_else(
    pair: tuple[Seen, Connection], alteration: str, expected: set[str]
) -> None:
    source, restored = pair
    with restored.connect() as session, session.transaction(force_rollback=True):
        session.execute(alteration.encode())
        found = differences(source, session)
    assert {f"{MARKS[d.what]} {d.kind} {d.subject}" for d in found} == expected
