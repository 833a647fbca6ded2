"""Bundles of earlier versions verify for ever: with the real gpg, without network, as at the day on which they were made."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from attestore import compose, instants
from attestore.audit import Findings, audit
from attestore.evidence.ledger import decode_checkpoint

LEAST = 1
"""Archives that there must be: one for each version that was released"""
ARCHIVES = Path(__file__).parents[1] / "archives"
GOLDEN = sorted(path.parent for path in ARCHIVES.glob("*/roster.yaml"))


def audited(folder: Path, reports: Path) -> Findings:
    """The audit on the day of the archive: a key that expires, or a vocabulary that grows, changes nothing."""
    point = decode_checkpoint((reports / "checkpoint").read_bytes())
    with compose.auditing(folder / "roster.yaml") as trust:
        at = instants.parse(point.at) + timedelta(minutes=1)
        return audit(reports, roster=trust.roster, verifier=trust.verifier, at=at)


def test_every_golden_bundle_verifies_for_ever() -> None:
    assert len(GOLDEN) >= LEAST
    for folder in GOLDEN:
        findings = audited(folder, folder / "reports")
        assert findings.problems == (), folder
        assert any("1 run: 1 passed." in line.sentence for line in findings.lines), folder


def test_and_with_one_flipped_byte_it_does_not(tmp_path: Path) -> None:
    for folder in GOLDEN:
        reports = shutil.copytree(folder / "reports", tmp_path / folder.name)
        (path,) = reports.glob("*/journal.jsonl")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        assert audited(folder, reports).problems, folder


def test_every_archive_has_its_roster_and_no_secret_key() -> None:
    assert sorted(path.name for path in ARCHIVES.glob("*") if path.is_dir()) == [path.name for path in GOLDEN]
    for path in ARCHIVES.rglob("*"):
        assert not path.is_file() or b"PRIVATE KEY" not in path.read_bytes()
