"""The corpus: every kind of damage is found and named, and no healthy schema raises an alarm, in one table."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from attestore.proof import Proof, compare
from clusters import MAJORS
from damages import BASE, DAMAGES, ROLES
from healthy import EXTENSIONS, HEALTHY
from servers import Server, copied, serve


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[int, Server]]:
    with ExitStack() as stack:
        running = {major: stack.enter_context(serve(major)) for major in MAJORS}
        for server in running.values():
            server.run("postgres", *ROLES)
        yield running


def told(source: Proof, restored: Proof) -> set[str]:
    return {f"{difference.kind} {difference.subject}" for difference in compare(source, restored).differences}


@pytest.mark.parametrize("major", MAJORS)
def test_no_healthy_schema_raises_an_alarm_after_one_round_trip_nor_after_two(
    servers: dict[int, Server], tmp_path: Path, major: int
) -> None:
    server = servers[major]
    with server.database(*(f"CREATE EXTENSION {name}" for name in EXTENSIONS)) as database:
        for number, statements in enumerate(HEALTHY.values()):
            with server.connect(database) as session:
                session.execute(f"CREATE SCHEMA s{number:02}; SET search_path = s{number:02}, public".encode())
                for statement in split(statements.replace("CURRENT_SCHEMA", f"s{number:02}")):
                    session.execute(statement.encode())
        source = server.prove(database)
        copied(server, database, "healthy_once", tmp_path)
        copied(server, "healthy_once", "healthy_twice", tmp_path)
        once, twice = (told(source, server.prove_restored(name, source)) for name in ("healthy_once", "healthy_twice"))
        server.run("postgres", "DROP DATABASE healthy_once", "DROP DATABASE healthy_twice")
    rows = []
    for number, sentence in enumerate(HEALTHY):
        mark = f"s{number:02}"
        alarms = [sorted(each for each in found if mark in each) for found in (once, twice)]
        rows.append((sentence, *("quiet" if not each else f"FALSE ALARM {each}" for each in alarms)))
    print_table(("healthy schema", "after one round trip", "after two"), rows)
    assert len(rows) >= 70
    assert (once, twice) == (set(), set())


def test_every_damage_is_found_under_its_own_name_and_nothing_else(servers: dict[int, Server], tmp_path: Path) -> None:
    server, rows, wrong = servers[MAJORS[0]], [], []
    with server.database(BASE) as database:
        source = server.prove(database)
        copied(server, database, "corpus_copy", tmp_path)
        assert told(source, server.prove_restored("corpus_copy", source)) == set()
        for sentence, statements, expected in DAMAGES:
            server.run("postgres", "CREATE DATABASE corpus_damaged TEMPLATE corpus_copy")
            quiet = "ALTER TABLE app.customer DISABLE TRIGGER USER;"
            loud = "ALTER TABLE app.customer ENABLE TRIGGER USER"
            done = statements.format(quiet=quiet, database="corpus_damaged")
            server.run("corpus_damaged", *split(done), *([loud] if "{quiet}" in statements else []))
            found = told(source, server.prove_restored("corpus_damaged", source))
            server.run("postgres", "DROP DATABASE corpus_damaged")
            rows.append((sentence, "; ".join(sorted(found)) or "NOT FOUND"))
            if found != expected:
                wrong.append((sentence, sorted(found), sorted(expected)))
        server.run("postgres", "DROP DATABASE corpus_copy")
    print_table(("damage", "found as"), rows)
    assert wrong == []
    assert len(rows) >= 60


FORMATS = {
    "custom": ("-Fc", "-Z0"),
    "custom, gzip": ("-Fc", "-Z6"),
    "directory": ("-Fd", "-Z0"),
    "directory, gzip": ("-Fd", "-Z6"),
    "tar": ("-Ft",),
    "plain SQL": ("-Fp",),
}


def test_every_archive_that_was_cut_or_changed_is_found(servers: dict[int, Server], tmp_path: Path) -> None:
    """Whatever the format: by an error of the restore, or where that says nothing, by the comparison."""
    server, rows = servers[MAJORS[0]], []
    with server.database(BASE) as database:
        source = server.prove(database)
        for form, options in FORMATS.items():
            whole = tmp_path / form.replace(" ", "-")
            subprocess.run(
                [server.bindir / "pg_dump", *options, "-d", server.conninfo(database), "-f", whole], check=True
            )
            for what, damage in (("cut in half", cut), ("a value changed", changed), ("a byte flipped", flipped)):
                broken = tmp_path / "broken"
                shutil.copytree(whole, broken) if whole.is_dir() else shutil.copy(whole, broken)
                damage(broken)
                with server.database() as copy:
                    complaint = restored(server, broken, copy)
                    found = sorted(told(source, server.prove_restored(copy, source)))
                shutil.rmtree(broken) if broken.is_dir() else broken.unlink()
                named = f"{found[0]} and {len(found) - 1} more" if found else "NOT FOUND"
                rows.append((f"{form}: {what}", complaint, named))
    print_table(("archive", "the restore says", "the comparison says"), rows)
    assert [row for row in rows if row[2] == "NOT FOUND" and row[1] == "exit 0"] == []
    silent = [row for row in rows if row[1] == "exit 0"]
    assert silent, "that the tools say nothing of some is what the comparison is for"


def victim(archive: Path) -> Path:
    """The file itself, or the largest member of a folder that holds rows."""
    if archive.is_file():
        return archive
    return max(archive.glob("[0-9]*.dat*"), key=lambda member: member.stat().st_size)


def cut(archive: Path) -> None:
    path = victim(archive)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


_DEFLATED = re.escape(b"\x78\x9c")
"""How a zlib stream begins (RFC 1950), as pg_dump writes one for each table of a compressed custom archive"""


def changed(archive: Path) -> None:
    """As rot within a value would be: same size, still well formed, where the format shows values at all."""
    path = victim(archive)
    data = path.read_bytes()
    if b"Customer 77\t" in data:
        path.write_bytes(data.replace(b"Customer 77\t", b"Customer 78\t"))
    else:
        flipped(archive)


def flipped(archive: Path) -> None:
    """One bit of the rows: a flip in a comment or in a number that nobody reads harms nothing, and nothing could be found."""
    path = victim(archive)
    data = bytearray(path.read_bytes())
    shown, streams = data.find(b"Customer 50\t"), [found.start() for found in re.finditer(_DEFLATED, data)]
    longest = max(itertools.pairwise([*streams, len(data)]), key=lambda ends: ends[1] - ends[0], default=(0, len(data)))
    place = shown if shown > 0 else sum(longest) // 2
    data[place] ^= 1
    path.write_bytes(data)


def restored(server: Server, archive: Path, copy: str) -> str:
    """What the tools of the field say when they restore it, errors ignored as they do by default."""
    with archive.open("rb") if archive.is_file() else nullcontext() as file:
        plain = file is not None and file.read(5) == b"--\n--"
    program = ["psql", "-q", "-f"] if plain else ["pg_restore"]
    try:
        done = subprocess.run(
            [server.bindir / program[0], *program[1:], archive, "-d", server.conninfo(copy)],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=8,
        )
    except subprocess.TimeoutExpired:
        return "nothing: it never ends"
    return f"exit {done.returncode}"


def split(statements: str) -> list[str]:
    """Statements one by one: some may not run in a transaction with others; bodies between $$ stay whole."""
    parts: list[str] = []
    for number, piece in enumerate(statements.split("$$")):
        if number % 2:
            parts[-1] += f"$${piece}$$"
            continue
        first, *others = piece.split(";")
        parts = [*parts[:-1], (parts[-1] if parts else "") + first, *others]
    return [part.strip() for part in parts if part.strip()]


def print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    for row in (heads, *rows):
        print(f"{row[0]:<58}" + " | ".join(row[1:]))  # noqa: T201 – a table for people
