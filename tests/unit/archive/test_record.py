"""What is exported is what was signed: a bundle that was touched gives no record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attestore.archive.record import read_record
from attestore.errors import ArchiveError, TamperedError
from bundles import Draft, issue


def test_a_sealed_bundle_is_read_with_its_verdict(tmp_path: Path) -> None:
    record = read_record(issue(tmp_path))
    assert [(v.gate, v.outcome.name) for v in record.case.verdicts] == [("S9-PROD-004", "PASS")]
    assert record.statement.run == record.case.context.run
    assert {each.path for each in record.files} >= {"journal.jsonl", "statement.json", "S9-PROD-004.pdf"}


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (lambda folder: (folder / "logs" / "more.log").write_bytes(b"x"), "not in the statement"),
        (lambda folder: (folder / "summary.md").write_bytes(b"PASS"), "not the file"),
        (lambda folder: (folder / "summary.md").unlink(), "missing"),
        (lambda folder: (folder / "link").symlink_to("summary.md"), "symbolic link"),
        (lambda folder: (folder / "statement.json").write_bytes(b"{}"), "not a statement"),
    ],
    ids=["added", "changed", "removed", "linked", "another statement"],
)
def test_a_bundle_that_was_touched_is_refused(tmp_path: Path, edit: Callable[[Path], object], word: str) -> None:
    folder = issue(tmp_path)
    edit(folder)
    with pytest.raises(TamperedError, match=word):
        read_record(folder)


def test_a_verdict_that_does_not_follow_is_refused_though_it_is_signed(tmp_path: Path) -> None:
    folder = issue(tmp_path, Draft(lies={"verdict.json": lambda text: text.replace(b"PASS", b"FAIL")}))
    with pytest.raises(TamperedError, match="verdict is another"):
        read_record(folder)


def test_a_run_that_was_not_sealed_gives_no_record(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    (folder / "statement.json").unlink()
    with pytest.raises(ArchiveError, match=r"holds no statement\.json"):
        read_record(folder)
