"""The lock files: every package by exact version and hash, from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)(?: ; (.+))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(lock: str) -> dict[str, str]:
    """Name to exact version of everything that a lock file pins."""
    found = (PIN.match(line) for line in (ROOT / lock).read_text().splitlines())
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def wanted(*, group: str) -> list[Requirement]:
    table = cast("dict[str, dict[str, list[object]]]", project())
    lines: list[object] = list(table["project"]["dependencies"])
    for name in ("build", group):
        lines += table["dependency-groups"][name]
    return [Requirement(line) for line in lines if isinstance(line, str)]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_a_hash(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    assert [line for line in lines if not PIN.match(line) and not HASH.match(line)] == []
    assert len(pins(lock)) > 30


@pytest.mark.parametrize("lock", LOCKS)
def test_no_pin_goes_without_a_hash(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    followers = [lines[at + 1] for at, line in enumerate(lines) if PIN.match(line)]
    assert all(HASH.match(line) for line in followers)


@pytest.mark.parametrize(("lock", "group"), [("requirements.lock", "build"), ("requirements-dev.lock", "dev")])
def test_what_the_project_asks_for_is_locked_within_its_bounds(lock: str, group: str) -> None:
    locked = pins(lock)
    astray = [
        str(requirement)
        for requirement in wanted(group=group)
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
    ]
    assert astray == [], "run `make lock`"


def test_both_locks_agree_so_that_what_is_tested_is_what_runs() -> None:
    runs, tested = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: tested.get(name) for name in runs} == runs
