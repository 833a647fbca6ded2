"""Checkpoints that stores keep: a ledger that was cut or written anew no longer agrees with them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from attestore.audit import audit
from attestore.audit.findings import Findings
from attestore.plan import Job, make
from attestore.run import execute
from fakes import FakeVerifier, World

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def _runs(world: World, folder: Path, *, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        plan = make(Job.BACKUP, run=f"20260301T02000{number}Z-shop-00000{number}", system="shop", gates=(), jobs=1)
        assert execute(plan, tools=world.tools(folder, drilling=False), reports=folder / "reports").stopped is None


def _kept(world: World, folder: Path) -> Path:
    place = folder / "kept"
    for key in world.store.keys("_checkpoints/"):
        path = place.joinpath(*key.split("/")[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(world.store.read(key, limit=1 << 20))
    return place


def _audited(world: World, folder: Path, kept: Path) -> list[tuple[str, str]]:
    found: Findings = audit(folder / "reports", roster=world.roster, verifier=FakeVerifier(), at=_AT, checkpoints=kept)
    return [(line.status.name, line.sentence) for line in found.lines if line.check in {"kept", "signature"} and "checkpoint" not in line.subject]  # fmt: skip


def _told(lines: list[tuple[str, str]], status: str) -> str:
    return " ".join(sentence for each, sentence in lines if each == status)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World()
    _runs(world, tmp_path, count=2)
    return world


def test_a_whole_ledger_agrees_with_what_was_kept(world: World, tmp_path: Path) -> None:
    lines = _audited(world, tmp_path, _kept(world, tmp_path))
    assert "the longest that this ledger holds is after entry" in _told(lines, "OK")
    assert "kept" not in _told(lines, "PROBLEM")


def test_a_ledger_that_was_cut_is_noticed(world: World, tmp_path: Path) -> None:
    kept = _kept(world, tmp_path)
    ledger = tmp_path / "reports" / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    assert "its tail was cut" in _told(_audited(world, tmp_path, kept), "PROBLEM")


def test_a_ledger_that_was_written_anew_is_noticed(world: World, tmp_path: Path) -> None:
    kept = _kept(world, tmp_path)
    other = World()
    _runs(other, tmp_path / "again", count=2, first=3)
    lines = _audited(other, tmp_path / "again", kept)
    assert "No kept checkpoint is of this ledger" in _told(lines, "PROBLEM")
    assert "before they were written anew" in _told(lines, "NOTE")


def test_a_checkpoint_that_nobody_of_the_roster_signed_vouches_for_nothing(world: World, tmp_path: Path) -> None:
    kept = _kept(world, tmp_path)
    for seal in kept.rglob("*.asc"):
        seal.write_text(seal.read_text().replace("A" * 40, "B" * 40))
    assert "No kept checkpoint is of this ledger" in _told(_audited(world, tmp_path, kept), "PROBLEM")
