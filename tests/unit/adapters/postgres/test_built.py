"""What an installation was built with, against what a source needs of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.postgres import built
from attestore.adapters.postgres.programs import Installation, Origin
from attestore.adapters.process import Runner
from fakes import FACTS


def installed(folder: Path, *, options: str, extensions: dict[str, str], major: int = 18) -> Installation:
    """A pg_config that says so, and control files."""
    place = folder / "share" / "extension"
    place.mkdir(parents=True)
    for name, version in extensions.items():
        (place / f"{name}.control").write_text(f"comment = 'x'\ndefault_version = '{version}'\n")
    program = folder / "pg_config"
    program.write_text(f"#!/bin/sh\n[ $1 = --sharedir ] && echo '{folder}/share' || echo \"{options}\"\n")
    program.chmod(0o755)
    return Installation(bindir=folder, major=major, version=f"{major}.1", origin=Origin.FORCED)


@pytest.mark.parametrize(
    ("major", "options", "missing"),
    [
        (18, "--with-libxml", set()),
        (18, "--without-icu --with-libxml", {"icu"}),
        (15, "--with-libxml", {"icu"}),
        (15, "--with-icu", {"libxml"}),
        (15, "--with-icu --with-libxml", set()),
    ],
)
def test_features_that_the_data_needs_are_looked_for(
    tmp_path: Path, major: int, options: str, missing: set[str]
) -> None:
    server = installed(tmp_path, options=options, extensions={"plpgsql": "1.0"}, major=major)
    facts = replace(FACTS, features=("icu", "libxml"))
    (_, features) = built.looks(server, Runner(), facts)
    assert {
        name for name in facts.features if any(f"without {name}" in p.message for p in features.problems)
    } == missing


def test_a_source_that_needs_no_feature_has_no_problem_with_any(tmp_path: Path) -> None:
    server = installed(tmp_path, options="--without-icu", extensions={"plpgsql": "1.0"})
    assert not any(look.problems or look.advice for look in built.looks(server, Runner(), FACTS))


def test_an_extension_of_another_version_is_told_and_a_missing_one_refused(tmp_path: Path) -> None:
    server = installed(tmp_path, options="x", extensions={"plpgsql": "1.0", "citext": "1.6"})
    facts = replace(FACTS, extensions=(("citext", "1.4"), ("plpgsql", "1.0"), ("postgis", "3")))
    (extensions, _) = built.looks(server, Runner(), facts)
    assert "citext 1.4 is 1.6 here" in extensions.advice
    assert ["postgis" in problem.message for problem in extensions.problems] == [True]
    assert extensions.seen == "2 of 3 are here"


def test_without_pg_config_nothing_is_claimed(tmp_path: Path) -> None:
    server = Installation(bindir=tmp_path, major=18, version="18.1", origin=Origin.FORCED)
    for look in built.looks(server, Runner(), replace(FACTS, features=("icu",))):
        assert "not known before the restore" in look.seen
