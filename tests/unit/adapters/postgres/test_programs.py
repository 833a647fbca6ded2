"""Which PostgreSQL dumps, which serves, and what is said when none can."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.adapters.postgres.programs import Installation, Origin, choose, find
from attestore.adapters.process import Runner
from attestore.errors import MissingProgramError, VersionError

CLIENT = ("pg_dump", "pg_restore")
SERVER = ("initdb", "postgres")


def installed(folder: Path, version: str, *programs: str) -> Installation:
    """Programmes that tell their version and nothing else."""
    bindir = folder / version / "bin"
    bindir.mkdir(parents=True)
    for name in programs:
        (bindir / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version} (House 1)'\n")
        (bindir / name).chmod(0o755)
    return Installation(bindir, int(version.partition(".")[0]), version, Origin.DISTRIBUTION)


def test_the_smallest_major_that_can_dump_the_source_serves_too(tmp_path: Path) -> None:
    have = [installed(tmp_path, version, *CLIENT, *SERVER) for version in ("18.1", "14.9", "16.3", "15.4")]
    choice = choose(have, source_major=15)
    assert (choice.dump.version, choice.server.version) == ("15.4", "15.4")


def test_a_client_without_server_is_served_by_the_next_major(tmp_path: Path) -> None:
    have = [
        installed(tmp_path, "15.4", *CLIENT),
        installed(tmp_path, "14.2", *SERVER),
        installed(tmp_path, "17.1", *SERVER),
    ]
    choice = choose(have, source_major=15)
    assert (choice.dump.version, choice.server.version) == ("15.4", "17.1")


def test_programmes_older_than_the_source_are_refused_with_the_package_to_install(tmp_path: Path) -> None:
    have = [installed(tmp_path, "15.4", *CLIENT, *SERVER)]
    with pytest.raises(VersionError, match=r"PostgreSQL 18 or newer are needed; this machine has 15\.4") as refused:
        choose(have, source_major=18)
    assert "apt-get install postgresql-18" in refused.value.hint


def test_a_dump_without_its_restore_does_not_count(tmp_path: Path) -> None:
    have = [installed(tmp_path, "15.4", "pg_dump", *SERVER)]
    with pytest.raises(MissingProgramError, match="no pg_dump and pg_restore"):
        choose(have, source_major=15)


def test_no_server_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError, match="no initdb and postgres"):
        choose([installed(tmp_path, "15.4", *CLIENT)], source_major=15)


def test_an_unknown_source_takes_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError) as refused:
        choose([], source_major=0)
    assert "apt-get install postgresql," in refused.value.hint
    assert choose([installed(tmp_path, "15.4", *CLIENT, *SERVER)], source_major=0).dump.major == 15


def test_distribution_folders_are_found_once_however_they_are_reached(tmp_path: Path) -> None:
    made = installed(tmp_path / "usr/lib/postgresql", "16.2", *CLIENT, *SERVER)
    (tmp_path / "usr/lib/postgresql/alias").symlink_to(made.bindir.parent)
    found = [each for each in find(Runner(), root=tmp_path) if tmp_path in each.bindir.parents]
    assert found == [Installation(made.bindir, 16, "16.2", Origin.DISTRIBUTION)]


def test_the_embedded_wheel_is_found_last() -> None:
    last = find(Runner())[-1]
    assert last.origin is Origin.EMBEDDED
    assert last.has(*CLIENT, *SERVER)


def test_a_given_folder_is_the_only_one(tmp_path: Path) -> None:
    made = installed(tmp_path, "16.2", *CLIENT)
    assert [(each.bindir, each.origin) for each in find(Runner(), forced=made.bindir)] == [(made.bindir, Origin.FORCED)]


def test_a_given_folder_without_programmes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingProgramError, match="neither a working pg_dump nor a working postgres"):
        find(Runner(), forced=tmp_path)
