"""What a store kept of a ledger's end shows what whoever holds the keys did to the ledger since."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from attestore.archive import LedgerFile
from attestore.audit import Findings, audit
from bundles import AUDITED, GLASS, ROSTER, START, STRANGER, Draft, Glass, issue, proof

SECOND = Draft(run="20260301T040000Z-shop-0a1c", start=START + timedelta(hours=2))


def keep(reports: Path, kept: Path) -> Path:
    """Put the checkpoint where a store would have it."""
    known = LedgerFile(reports).read()
    folder = kept / known.head_at(1)[:16] / f"{known.count:09d}-{known.head[:16]}"
    folder.mkdir(parents=True)
    for name in ("checkpoint", "checkpoint.asc"):
        shutil.copy(reports / name, folder / name)
    return folder


def told(reports: Path, kept: Path) -> Findings:
    return audit(reports, roster=ROSTER, verifier=Glass(*GLASS.pens.values(), STRANGER), at=AUDITED, checkpoints=kept)


def said(findings: Findings) -> str:
    return "\n".join(line.sentence for line in findings.problems if line.check == "kept" or "roster" in line.sentence)


def test_a_ledger_that_only_grew_holds_every_checkpoint(tmp_path: Path) -> None:
    reports, kept = tmp_path / "reports", tmp_path / "kept"
    for draft in (Draft(), SECOND):
        issue(reports, draft)
        keep(reports, kept)
    found = told(reports, kept)
    assert found.problems == ()
    assert any("2 kept checkpoints; the longest" in line.sentence for line in found.lines)


def test_a_tail_that_was_cut_is_missed(tmp_path: Path) -> None:
    """The operator puts back an older copy of everything; what was there in between lies in the store."""
    reports, kept = tmp_path / "reports", tmp_path / "kept"
    issue(reports)
    keep(reports, kept)
    older = shutil.copytree(reports, tmp_path / "older")
    issue(reports, SECOND)
    keep(reports, kept)
    assert told(reports, kept).problems == ()
    assert "its tail was cut" in said(told(older, kept))


def test_a_ledger_written_anew_from_some_entry_on_is_another(tmp_path: Path) -> None:
    """The same start, another end: a failure that was run again under its own name until it passed."""
    failed, passed, kept = tmp_path / "failed", tmp_path / "passed", tmp_path / "kept"
    issue(failed, Draft(restored=proof("restored", rows=2)))
    keep(failed, kept)
    issue(passed)
    assert "written anew from there" in said(told(passed, kept))


def test_checkpoints_of_another_beginning_vouch_for_nothing(tmp_path: Path) -> None:
    reports, other, kept = tmp_path / "reports", tmp_path / "other", tmp_path / "kept"
    issue(reports)
    issue(other, SECOND)
    keep(other, kept)
    found = told(reports, kept)
    assert "No kept checkpoint is of this ledger" in said(found)
    assert any("another beginning" in line.sentence for line in found.lines)


@pytest.mark.parametrize(
    "harm", ["a stranger signed it", "nobody signed it", "another was signed", "it is no checkpoint"]
)
def test_a_checkpoint_that_nobody_of_the_roster_signed_vouches_for_nothing(tmp_path: Path, harm: str) -> None:
    reports, kept = tmp_path / "reports", tmp_path / "kept"
    issue(reports)
    folder = keep(reports, kept)
    point = folder / "checkpoint"
    match harm:
        case "a stranger signed it":
            STRANGER.sign(point)
        case "nobody signed it":
            point.with_name("checkpoint.asc").unlink()
        case "another was signed":
            point.write_bytes(point.read_bytes().replace(b"2026-03-01", b"2026-03-02"))
        case _:
            point.write_bytes(b"{}")
    problems = told(reports, kept).problems
    assert any(folder.name in f"{line.subject} {line.sentence}" for line in problems), problems
    assert any("No kept checkpoint is of this ledger" in line.sentence for line in problems)
